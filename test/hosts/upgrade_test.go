package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/internal/release"
	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

// Servers are replaced one by one by the next release while clients write, then the node: nothing that was acknowledged is lost, containers run on,
// and no request to a service fails. BERTH_TEST_PROGRAM names the program to begin with, such as the last release's; else it is this tree's.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	programs := releases(t)
	f := newFleet(t)
	pids := f.pids()
	w := writers(t, f.servers)
	asked := f.asking()

	f.replaceServers("v-next", programs["v-next"])
	f.replaceNode(programs["v-next"])
	f.samePids(pids)
	if os.Getenv("BERTH_TEST_PROGRAM") == "" { // what came before levels refuses nobody, and is not refused by its own
		f.twoApart(programs)
	}
	asked()
	w.stop()
	w.check()
	f.samePids(pids)
}

// releases are this tree's program and two later ones.
func releases(t *testing.T) map[string]string {
	t.Helper()
	now := release.This("").Level
	if os.Getenv("BERTH_TEST_PROGRAM") != "" { // this tree is its next
		now--
	}
	out := map[string]string{}
	for n, name := range []string{"v-next", "v-after"} {
		exe, err := installation.Build(t.Context(), t.TempDir(), name, strconv.Itoa(now+n+1))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = exe
	}
	return out
}

// replaceServers takes the leading server last: leadership moves once.
func (f *fleet) replaceServers(version, exe string) {
	t := f.t
	t.Helper()
	leader := f.world.Leader(f.servers[0])
	for _, h := range append(others(f.servers, leader), leader) {
		began := time.Now()
		f.replace(h, hosts.Server, exe)
		h.AwaitReady()
		t.Logf("%s is %s after %v", h.Name, version, time.Since(began).Round(time.Millisecond))
		if out := h.Must("machines"); !strings.Contains(out, version) && os.Getenv("BERTH_TEST_PROGRAM") == "" {
			t.Errorf("berth machines shows no version %s:\n%s", version, out)
		}
	}
}

func (f *fleet) replaceNode(exe string) {
	f.t.Helper()
	f.replace(f.node, hosts.Node, exe)
	c := f.servers[0].ECS()
	installation.Eventually(f.t, "the node to be connected again", func(ctx context.Context) error { return connected(ctx, c, 1) })
	installation.Eventually(f.t, "the tasks to be told of", func(ctx context.Context) error { _, err := running(ctx, c, "web", 2); return err })
}

func (f *fleet) replace(h *hosts.Host, r hosts.Role, exe string) {
	f.t.Helper()
	h.Use(r, exe)
	if err := h.Stop(f.t.Context(), r); err != nil {
		f.t.Fatal(err)
	}
	h.Again(r)
}

// twoApart: who skipped a release is told, and disturbs nobody.
func (f *fleet) twoApart(programs map[string]string) {
	t := f.t
	t.Helper()
	this, err := installation.Program(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, b := f.servers[0], f.servers[1]
	f.replace(a, hosts.Server, programs["v-after"]) // one apart: it serves
	a.AwaitReady()
	f.replace(b, hosts.Server, this)
	if err := b.Await(t.Context(), hosts.Server); err != nil || !strings.Contains(b.LastLog(5), release.Rule) {
		t.Errorf("a server two releases behind another: %v\n%s", err, b.LastLog(5))
	}
	for _, h := range f.servers[1:] {
		f.replace(h, hosts.Server, programs["v-after"])
		h.AwaitReady()
	}
	f.replace(f.node, hosts.Node, this)
	installation.Eventually(t, "the node to be told why it is refused", func(context.Context) error {
		if log := f.node.LastLog(20); !strings.Contains(log, release.Rule) {
			return errors.New(log)
		}
		return nil
	})
	f.replaceNode(programs["v-next"])
}

// pids are the processes of the containers that run.
func (f *fleet) pids() map[string]int {
	f.t.Helper()
	out := map[string]int{}
	for service, n := range map[string]int{"web": 2, "once": 1} {
		tasks, err := running(f.t.Context(), f.servers[0].ECS(), service, n)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, task := range tasks {
			pid, err := process(task)
			if err != nil {
				f.t.Fatal(err)
			}
			out[aws.ToString(task.TaskArn)] = pid
		}
	}
	return out
}

func (f *fleet) samePids(want map[string]int) {
	f.t.Helper()
	got := f.pids()
	for task, pid := range want {
		if got[task] != pid {
			f.t.Errorf("%s was process %d, and is %d", task, pid, got[task])
		}
	}
}

// asking has a client ask the tasks all the time; what is answered ends it, and counts.
func (f *fleet) asking() (end func()) {
	t := f.t
	t.Helper()
	tasks, err := running(t.Context(), f.servers[0].ECS(), "web", 2)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	asked, failed := 0, 0
	wg.Go(func() {
		client := f.servers[0].HTTP()
		for t.Context().Err() == nil {
			for _, task := range tasks {
				asked++
				if answer, err := get(t.Context(), client, f.at(task)); err != nil || !strings.Contains(answer, "web") {
					failed++
					t.Logf("a request to a task: %q %v", answer, err)
				}
			}
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	return func() {
		close(stop)
		wg.Wait()
		t.Logf("%d requests to the service, %d failed", asked, failed)
		if failed > 0 {
			t.Errorf("%d of %d requests to the service failed", failed, asked)
		}
	}
}

// written is what clients wrote through each server, and which of it was acknowledged.
type written struct {
	t       *testing.T
	servers []*hosts.Host
	end     func()

	mu    sync.Mutex
	acked []string
	tries map[string]int // errors that SDKs try again
}

// writers begins a client at each server, which tries nothing again by itself.
func writers(t *testing.T, servers []*hosts.Host) *written {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &written{t: t, servers: servers, tries: map[string]int{}}
	var wg sync.WaitGroup
	for _, h := range servers {
		c := h.ECS(func(o *ecs.Options) { o.Retryer = aws.NopRetryer{} })
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("up-%s-%d", h.Name, n)
				w.wrote(ctx, h, name, createCluster(ctx, c, name))
				select {
				case <-ctx.Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
	}
	w.end = func() { cancel(); wg.Wait() }
	return w
}

func (w *written) stop() { w.end() }

func (w *written) wrote(ctx context.Context, h *hosts.Host, name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.acked = append(w.acked, name)
	case ctx.Err() != nil:
	case retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) != aws.TrueTernary:
		w.t.Errorf("%s: an error that no SDK tries again: %v", h.Name, err)
	default:
		w.tries[short(err)]++
	}
}

// check looks for everything that was acknowledged.
func (w *written) check() {
	t := w.t
	t.Helper()
	for n, h := range w.servers {
		c, lost := h.ECS(), 0
		for at := n * 37 % 100; at < len(w.acked); at += 100 { // each server is asked in other parts
			part := w.acked[at:min(at+100, len(w.acked))]
			out, err := c.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: part})
			if err != nil {
				t.Fatal(err)
			}
			lost += len(part) - len(out.Clusters)
		}
		if lost > 0 {
			t.Errorf("%d of %d acknowledged writes are lost at %s", lost, len(w.acked), h.Name)
		}
	}
	t.Logf("%d writes were acknowledged, none was lost; errors that SDKs try again: %v", len(w.acked), w.tries)
}
