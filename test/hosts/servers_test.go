package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

func TestMain(m *testing.M) {
	code := m.Run()
	installation.Discard()
	os.Exit(code)
}

// three are three servers of one installation, each on a host of its own.
func three(t *testing.T) (*hosts.World, []*hosts.Host) {
	t.Helper()
	w := hosts.New(t)
	a, b, c := w.Host(), w.Host(), w.Host()
	a.First()
	b.JoinServer(a)
	c.JoinServer(b)
	keep(t, a, []*hosts.Host{a, b, c})
	return w, []*hosts.Host{a, b, c}
}

// keep waits until a host sees exactly these servers keep the store, all of them with a vote.
func keep(t *testing.T, seen *hosts.Host, want []*hosts.Host) {
	t.Helper()
	installation.Eventually(t, "the servers to keep the store", func(ctx context.Context) error {
		servers, err := seen.Servers(ctx)
		if err != nil {
			return err
		}
		if len(servers) != len(want) {
			return fmt.Errorf("they are %v", servers)
		}
		for _, h := range want {
			if r := servers[h.Name]; r != "leads" && r != "follows" {
				return fmt.Errorf("%s: %q of %v", h.Name, r, servers)
			}
		}
		return nil
	})
}

func others(all []*hosts.Host, not *hosts.Host) []*hosts.Host {
	var out []*hosts.Host
	for _, h := range all {
		if h != not {
			out = append(out, h)
		}
	}
	return out
}

// createCluster is a write.
func createCluster(ctx context.Context, c *ecs.Client, name string) error {
	_, err := c.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(name)})
	return err
}

// has is a read: whether the region has a cluster.
func has(ctx context.Context, c *ecs.Client, name string) error {
	out, err := c.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: []string{name}})
	if err == nil && len(out.Clusters) != 1 {
		err = fmt.Errorf("cluster %s: %+v", name, out.Failures)
	}
	return err
}

// What one server acknowledged every other one answers at once.
func readEverywhere(t *testing.T, all []*hosts.Host, prefix string) {
	t.Helper()
	readTimes(t, all, prefix, 30)
}

func readTimes(t *testing.T, all []*hosts.Host, prefix string, times int) {
	t.Helper()
	clients := make([]*ecs.Client, len(all))
	for i, h := range all {
		clients[i] = h.ECS()
	}
	for n := range times {
		name := fmt.Sprintf("%s-%d", prefix, n)
		if err := createCluster(t.Context(), clients[n%len(all)], name); err != nil {
			t.Fatal(err)
		}
		for i, c := range clients {
			if err := has(t.Context(), c, name); err != nil {
				t.Fatalf("written at %s, read at %s: %v", all[n%len(all)].Name, all[i].Name, err)
			}
		}
	}
}

func TestServersAreOne(t *testing.T) {
	w, all := three(t)
	readEverywhere(t, all, "joined")
	pullEverywhere(t, all)
	cutOff(t, w, all)

	leader := w.Leader(all[0])
	rest := others(all, leader)
	stop := use(t, rest)
	killed := time.Now()
	leader.Kill(hosts.Server)
	again := map[string]time.Duration{}
	for _, h := range rest {
		c := h.ECS()
		installation.Eventually(t, "a write at "+h.Name, func(ctx context.Context) error { return createCluster(ctx, c, "after-"+h.Name) })
		again[h.Name] = time.Since(killed).Round(time.Millisecond)
	}
	t.Logf("the leading server was killed; a write after %v", again)
	stop()

	// Its machine is lost, with its disk.
	leader.Destroy()
	rest[0].Must("machines", "remove-server", leader.Name)
	fresh := w.Host()
	fresh.JoinServer(rest[1])
	all = append(rest, fresh)
	keep(t, fresh, all)
	readEverywhere(t, all, "replaced")
	restore(t, w, all[0])
}

// cutOff takes the leading server off the wire: the others go on, it answers nothing that could be old, and it has caught up when it is back. Then the wire
// loses packets, and then it is slow: that costs time only.
func cutOff(t *testing.T, w *hosts.World, all []*hosts.Host) {
	t.Helper()
	leader := w.Leader(all[0])
	rest := others(all, leader)
	leader.Cut()
	c := rest[0].ECS()
	installation.Eventually(t, "a write without who led", func(ctx context.Context) error { return createCluster(ctx, c, "while-cut") })
	alone := leader.ECS(func(o *ecs.Options) { o.Retryer = aws.NopRetryer{} })
	err := has(t.Context(), alone, "while-cut")
	if err == nil || !retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err).Bool() {
		t.Errorf("a server without the others answers a read: %v", err)
	}
	leader.Mend()
	installation.Eventually(t, "who was cut off to be back", func(ctx context.Context) error { return has(ctx, alone, "while-cut") })
	keep(t, leader, all)
	rest[1].Lose(5)
	readEverywhere(t, all, "lossy")
	rest[1].Lose(0)
	rest[1].Slow(10*time.Millisecond, 5*time.Millisecond)
	readTimes(t, all, "slow", 6)
	rest[1].Mend()
}

// restore makes a backup while the region is written to, and another region of it on a host that has nothing but the keys.
func restore(t *testing.T, w *hosts.World, from *hosts.Host) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup")
	stop := use(t, []*hosts.Host{from})
	from.Must("backup", file)
	stop()
	h := w.Host()
	if err := os.MkdirAll(h.DataDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root-credentials", "agent-ca.pem", "agent-ca-key.pem"} {
		data, err := os.ReadFile(filepath.Join(from.DataDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(h.DataDir(), name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.Restore(file)
	h.First()
	for _, name := range []string{"joined-0", "replaced-29"} {
		if err := has(t.Context(), h.ECS(), name); err != nil {
			t.Error(err)
		}
	}
	second := w.Host()
	second.JoinServer(h)
	keep(t, h, []*hosts.Host{h, second})
	readEverywhere(t, []*hosts.Host{h, second}, "restored")
}

// use has clients write and read at each of the hosts, without retries, until stop: what they see must be what an SDK tries again.
func use(t *testing.T, at []*hosts.Host) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	retries := retry.IsErrorRetryables(retry.DefaultRetryables)
	for _, h := range at {
		c := h.ECS(func(o *ecs.Options) { o.Retryer = aws.NopRetryer{} })
		wg.Go(func() {
			seen, calls := map[string]int{}, 0
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("use-%d", n%10)
				err := createCluster(ctx, c, name)
				if err == nil {
					err = has(ctx, c, name)
				}
				calls++
				if err == nil || ctx.Err() != nil {
					continue
				}
				if retries.IsErrorRetryable(err) != aws.TrueTernary {
					t.Errorf("%s: an error that no SDK tries again: %v", h.Name, err)
				}
				seen[short(err)]++
			}
			t.Logf("%s: %d calls; errors that SDKs try again: %v", h.Name, calls, seen)
		})
	}
	return func() { cancel(); wg.Wait() }
}

func short(err error) string {
	for next := err; next != nil; next = errors.Unwrap(err) {
		err = next
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}
