package histories

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

func TestMain(m *testing.M) {
	code := m.Run()
	installation.Discard()
	os.Exit(code)
}

// members is a region of three servers that keep the store together, each a process on a host of its own.
type members struct {
	*world
	all []*hosts.Host
}

func newMembers(t *testing.T) *members {
	t.Helper()
	w := hosts.New(t)
	m := &members{world: &world{T: t, patience: 3 * time.Second}}
	for n := range servers {
		h := w.Host()
		if n == 0 {
			h.First()
		} else {
			h.JoinServer(m.all[n-1])
		}
		m.all = append(m.all, h)
	}
	for _, h := range m.all {
		m.clients = append(m.clients, h.ECS(func(o *ecs.Options) { o.Retryer = aws.NopRetryer{} }))
	}
	return m
}

// What is acknowledged and answered while servers die and are cut off has an order, too.
func TestThreeMembersAnswerAsOneWhileTheyDie(t *testing.T) {
	m, seed, n := newMembers(t), rounds.Seed(t), count(t)
	t.Logf("BERTH_TEST_SEED=%d BERTH_TEST_HISTORIES=%d", seed, n)
	var undecided, calls, unknown, taken atomic.Int64
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 2 * atOnce { // blows hold up all of them
		wg.Go(func() {
			for i := int(taken.Add(1)); i <= n && !t.Failed(); i = int(taken.Add(1)) {
				s, err := m.staged()
				if err != nil {
					t.Errorf("before history %d: %v", i, err)
					return
				}
				history := s.record(drawn(rounds.Source(seed, i, 1)))
				calls.Add(int64(len(history)))
				unknown.Add(int64(failed(history)))
				if !linearizable(history, &undecided) {
					t.Errorf("history %d is not linearizable: %+v", i, history)
				}
			}
		})
	}
	go func() { wg.Wait(); close(done) }()
	blows := m.strike(rounds.Source(seed, 0, 2), done)
	t.Logf("%d histories of %d calls, %d of which nobody knows, with %d servers killed or cut off: %d were not decided",
		n, calls.Load(), unknown.Load(), blows, undecided.Load())
	if undecided.Load() > int64(n/10) {
		t.Errorf("%d of %d histories were not decided", undecided.Load(), n)
	}
}

// staged is newStage that is tried again while nobody leads.
func (m *members) staged() (s *stage, err error) {
	for begun := time.Now(); time.Since(begun) < installation.Patience; {
		if s, err = m.newStage(); err == nil || m.Failed() || errors.Is(err, errOrder) {
			return s, err
		}
		rounds.Wait(m.Context(), 50*time.Millisecond)
	}
	return nil, err
}

// strike kills servers and cuts them off, the leading one as often as any, until done. Between two blows all of them are there.
func (m *members) strike(r *rand.Rand, done <-chan struct{}) (blows int) {
	m.Helper()
	for ; ; blows++ {
		select {
		case <-done:
			return blows
		case <-time.After(rounds.Millis(r, 100, 1500)):
		}
		h := m.all[r.IntN(servers)]
		if r.IntN(2) == 0 {
			if leads := h.Leads(m.Context()); leads != nil {
				h = leads
			}
		}
		long := rounds.Millis(r, 100, 1500)
		if r.IntN(2) == 0 {
			h.Kill(hosts.Server)
			rounds.Wait(m.Context(), long)
			h.Again(hosts.Server)
		} else {
			h.Cut()
			rounds.Wait(m.Context(), long)
			h.Mend()
		}
		for _, h := range m.all {
			h.AwaitReady()
		}
	}
}

// TestBadMembersAreCaught: programs that are known to be bad have histories without an order. It needs BERTH_TEST_MUTANTS, for each is a build and a region.
func TestBadMembersAreCaught(t *testing.T) {
	if os.Getenv("BERTH_TEST_MUTANTS") == "" {
		t.Skip("BERTH_TEST_MUTANTS is not set: make nightly does")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]rounds.Mutant{
		"the leader is not asked before a read": {File: "store/etcd/embedded.go", Old: "if err := b.askLeader(ctx); err != nil {", New: "if err := error(nil); err != nil {"},
		"a commit that was lost is acknowledged": {File: "store/update.go", Old: "rev, ok, err := a.e.backend.Commit(ctx, txn)",
			New: "rev, ok, err := a.e.backend.Commit(ctx, txn)\n\t\tif err != nil {\n\t\t\treturn true, nil\n\t\t}"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestThreeMembersAnswerAsOneWhileTheyDie$", "-test.v", "-test.timeout=4m")
			cmd.Env = append(os.Environ(), "BERTH_TEST_PROGRAM="+m.Build(t), "BERTH_TEST_SEED=1", "BERTH_TEST_HISTORIES="+strconv.Itoa(500))
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "is not linearizable") {
				t.Fatalf("nobody noticed (%v):\n%s", err, out)
			}
		})
	}
}
