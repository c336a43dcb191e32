package chaos

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

func TestMain(m *testing.M) {
	code := m.Run()
	installation.Discard()
	os.Exit(code)
}

const defaultRounds = 2

func TestRounds(t *testing.T) {
	from, n, until := rounds.Seed(t), rounds.Count(t, defaultRounds), rounds.Until(t)
	t.Logf("BERTH_TEST_SEED=%d BERTH_TEST_ROUNDS=%d", from, n)
	w := begin(t)
	first := 0
	if s := os.Getenv("BERTH_TEST_ROUND"); s != "" {
		first, _ = strconv.Atoi(s)
		n = first + 1
	}
	done := 0
	for round := first; round < n && !t.Failed() && time.Now().Before(until); round++ {
		w.round(from, round)
		done++
	}
	t.Logf("%d rounds were done", done)
	if !t.Failed() {
		w.fullDisk()
	}
}

// diary is what happened in a round, for whoever reads its failure.
type diary struct {
	begun time.Time
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf("%6.2fs  ", time.Since(d.begun).Seconds())+fmt.Sprintf(format, args...))
}

// round does what its fault says while the load runs, makes it good, and judges what is left.
func (w *world) round(seed uint64, round int) {
	w.t.Helper()
	f, r, d := draw(seed, round), rounds.Source(seed, round, 3), &diary{begun: time.Now()}
	defer func() {
		w.t.Logf("seed %d, round %d: %s\n%s", seed, round, f, strings.Join(d.lines, "\n"))
	}()
	l := w.startLoad(seed, round)
	defer l.end()
	l.until(f.after, tooLong)
	watched := w.watch(f)
	w.trouble.Add(1)
	h := w.strikeAll(f, d, r)
	l.until(f.after*4, f.long)
	w.makeGood(h)
	d.note("made good after %d operations", l.ops.Load())
	w.ready()
	w.trouble.Add(1)
	d.note("ready")
	l.until(f.rest, tooLong)
	l.end()
	d.note("the load ends after %d operations", l.ops.Load())
	for _, finding := range watched() {
		w.t.Error(finding)
	}
	w.judge(d, round)
}

// judge checks everything once the load has ended.
func (w *world) judge(d *diary, round int) {
	w.t.Helper()
	for _, finding := range w.book.takeFindings() {
		w.t.Error(finding)
	}
	if err := w.visible(w.t.Context()); err != nil {
		w.t.Errorf("at once: %v", err)
	}
	w.converge("after the round", round)
	d.note("converged")
	installation.Eventually(w.t, "the witnesses", func(ctx context.Context) error { return w.speak(ctx) })
	w.audit("after the round")
	d.note("audited")
	w.tidy()
}

// tidy forgets what was judged, so that rounds do not become slower.
func (w *world) tidy() {
	w.t.Helper()
	tasks, err := rounds.DescribeTasks(w.t.Context(), w.ecs[0], keysOf(w.book.allTasks()))
	if err != nil {
		w.t.Fatal(err)
	}
	var over []string
	for _, t := range tasks {
		if *t.LastStatus == "STOPPED" {
			over = append(over, *t.TaskArn)
		}
	}
	w.book.forget(over)
}

func keysOf(m map[string]wish) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}
