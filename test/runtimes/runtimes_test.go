package runtimes

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestMain has the tasks of several questions run at once: they wait for clocks more than for the processor.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestRuntimes asks both runtimes everything.
func TestRuntimes(t *testing.T) {
	w := newWorld(t)
	for _, boxed := range []bool{false, true} {
		name := map[bool]string{false: "runc", true: "sandbox"}[boxed]
		for from := 0; from < len(single); from += together {
			t.Run(fmt.Sprintf("%s/%d", name, from), func(t *testing.T) {
				t.Parallel()
				w.on(t, boxed).askAll(single[from:min(from+together, len(single))])
			})
		}
		for _, p := range several {
			t.Run(name+"/"+p.what, func(t *testing.T) {
				t.Parallel()
				w := w.on(t, boxed)
				w.compare(p, p.asks(w))
			})
		}
	}
}

// together are probes in one task: as many containers as a task may have, but for the one that waits for them.
const together = 9

func (w *world) askAll(probes []probe) {
	w.t.Helper()
	last := container("last", "true")
	last.Essential = aws.Bool(true)
	cs := []types.ContainerDefinition{last}
	for i, p := range probes {
		name := fmt.Sprintf("p%d", i)
		c := container(name, p.script)
		if p.change != nil {
			p.change(&c)
		}
		cs = append(cs, c)
		cs[0].DependsOn = append(cs[0].DependsOn, types.ContainerDependency{ContainerName: &name, Condition: types.ContainerConditionComplete})
	}
	task := w.AwaitTask(w.t, w.start(cs), "STOPPED")
	for i, p := range probes {
		w.compare(p, w.said(task, fmt.Sprintf("p%d", i)))
	}
}

func (w *world) compare(p probe, got string) {
	w.t.Helper()
	want := p.runc
	if w.boxed && p.sandbox != "" {
		want = p.sandbox
	}
	if got != want {
		w.t.Errorf("%s: the answer is %q, not %q", p.what, got, want)
	}
}
