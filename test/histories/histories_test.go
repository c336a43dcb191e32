package histories

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/berth-ecs/berth/store"
)

// count is how many histories are recorded of a good region.
func count(t *testing.T) int {
	t.Helper()
	text := os.Getenv("BERTH_TEST_HISTORIES")
	if text == "" {
		return 40
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("BERTH_TEST_HISTORIES=%q is not a number", text)
	}
	return n
}

// atOnce is how many histories are recorded at the same time: they share the servers, not what they are about.
const atOnce = 4

// linearizable says whether a history is; one that takes too long to decide counts as such, and is counted.
func linearizable(history []porcupine.Operation, undecided *atomic.Int64) bool {
	switch porcupine.CheckOperationsTimeout(model, history, 10*time.Second) {
	case porcupine.Illegal:
		return false
	case porcupine.Ok:
	case porcupine.Unknown:
		undecided.Add(1)
	}
	return true
}

func TestThreeServersAnswerAsOne(t *testing.T) {
	for name, c := range map[string]struct {
		open  stores
		share int
	}{"in memory": {inMemory(nil), 4}, "in etcd": {inEtcd, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.open, nil)
			n := max(1, count(t)*c.share/5)
			var undecided, calls, seeds atomic.Int64
			var wg sync.WaitGroup
			for range atOnce {
				wg.Go(func() {
					for seed := seeds.Add(1); seed <= int64(n); seed = seeds.Add(1) {
						s, err := w.newStage()
						if err != nil {
							t.Errorf("before history %d: %v", seed, err)
							return
						}
						history := s.record(drawn(rand.New(rand.NewPCG(uint64(seed), 1))))
						calls.Add(int64(len(history)))
						if !linearizable(history, &undecided) {
							t.Errorf("history %d is not linearizable: %+v", seed, history)
						}
					}
				})
			}
			wg.Wait()
			t.Logf("%d histories of %d calls are linearizable, %d of them were not decided", n, calls.Load(), undecided.Load())
			if undecided.Load() > int64(n/20) {
				t.Errorf("%d of %d histories were not decided", undecided.Load(), n)
			}
		})
	}
}

// failed counts the calls that were answered by an error.
func failed(history []porcupine.Operation) (n int) {
	for _, o := range history {
		if o.Output.(answer).err != "" {
			n++
		}
	}
	return n
}

// mutant is a known-bad server. It is good until it is turned on: what histories are about is made before.
type mutant struct {
	on      *atomic.Bool
	backend func(on *atomic.Bool, b store.Backend) store.Backend // nil: as it is
	store   func(on *atomic.Bool, s store.Store) store.Store     // nil: as it is
}

// anyReader answers from what it has, whatever was acknowledged elsewhere.
type anyReader struct {
	store.Store
	on *atomic.Bool
}

func (r anyReader) View(ctx context.Context, f store.Freshness, fn func(store.Tx) error) error {
	if r.on.Load() {
		f = store.Any
	}
	return r.Store.View(ctx, f, fn)
}

// hasty acknowledges, and commits afterwards.
type hasty struct {
	store.Backend
	on *atomic.Bool
	wg *sync.WaitGroup
}

func (h hasty) Commit(ctx context.Context, t store.Txn) (int64, bool, error) {
	if !h.on.Load() || t.Leader != nil {
		return h.Backend.Commit(ctx, t)
	}
	h.wg.Go(func() {
		<-time.After(mostLate)
		_, _, _ = h.Backend.Commit(context.WithoutCancel(ctx), t) // that is what is wrong with it
	})
	return 0, true, nil
}

// careless commits whatever changed meanwhile.
type careless struct {
	store.Backend
	on *atomic.Bool
}

func (c careless) Commit(ctx context.Context, t store.Txn) (int64, bool, error) {
	if c.on.Load() {
		t.Guards = nil
	}
	return c.Backend.Commit(ctx, t)
}

func TestKnownBadServersAreCaught(t *testing.T) {
	const most = 60 // histories
	var late sync.WaitGroup
	t.Cleanup(late.Wait)
	for name, m := range map[string]mutant{
		"answers reads from what it has": {store: func(on *atomic.Bool, s store.Store) store.Store { return anyReader{s, on} }},
		"acknowledges before the commit": {backend: func(on *atomic.Bool, b store.Backend) store.Backend { return hasty{b, on, &late} }},
		"looks at no guard":              {backend: func(on *atomic.Bool, b store.Backend) store.Backend { return careless{b, on} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m.on = new(atomic.Bool)
			var backend func(store.Backend) store.Backend
			var wrap func(store.Store) store.Store
			if m.backend != nil {
				backend = func(b store.Backend) store.Backend { return m.backend(m.on, b) }
			}
			if m.store != nil {
				wrap = func(s store.Store) store.Store { return m.store(m.on, s) }
			}
			w := newWorld(t, inMemory(backend), wrap)
			var undecided atomic.Int64
			for seed := range uint64(most) {
				s, err := w.newStage()
				if err != nil {
					t.Fatal(err)
				}
				m.on.Store(true)
				history := s.record(drawn(rand.New(rand.NewPCG(seed, 2))))
				m.on.Store(false)
				if !linearizable(history, &undecided) {
					t.Logf("caught by history %d; %d of its %d calls failed", seed, failed(history), len(history))
					return
				}
			}
			t.Errorf("%d histories say nothing of it", most)
		})
	}
}
