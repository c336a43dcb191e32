package loop_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

type thing struct{ Name, Value string }

var things = store.Define(store.Def[thing]{Name: "test.thing", Version: 1,
	Key: func(t *thing) string { return store.Installation().Key(t.Name) }})

// bench is a loop over things that records what it was asked to reconcile.
type bench struct {
	t     *testing.T
	store *mem.Store
	loop.Config
	fail func(key string, nth int) error

	mu   sync.Mutex
	runs []string
	end  func() error
}

func newBench(t *testing.T, o mem.Options) *bench {
	t.Helper()
	b := &bench{t: t, store: mem.Open(store.Schema{things}, o)}
	b.Config = loop.Config{
		Name: "test", Store: b.store, Tables: []string{things.Name()},
		Dirty: func(_ store.Tx, c store.Change) []string { return []string{c.Key} },
		All: func(tx store.Tx) iter.Seq[string] {
			return func(yield func(string) bool) {
				for k := range things.List(tx, "", "") {
					if !yield(k) {
						return
					}
				}
			}
		},
		Reconcile: b.reconcile,
		Metrics:   loop.NewMetrics(prometheus.NewRegistry()),
	}
	return b
}

func (b *bench) reconcile(_ context.Context, key string) (loop.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := key[strings.LastIndexByte(key, '/')+1:]
	b.runs = append(b.runs, name)
	if b.fail == nil {
		return loop.Result{}, nil
	}
	n := 0
	for _, r := range b.runs {
		if r == name {
			n++
		}
	}
	return loop.Result{}, b.fail(name, n)
}

func (b *bench) start() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx, b.Config) }()
	b.end = func() error { cancel(); return <-ended }
	synctest.Wait()
}

func (b *bench) put(names ...string) {
	for _, n := range names {
		if err := b.store.Update(context.Background(), func(tx store.Tx) error {
			things.Put(tx, &thing{Name: n, Value: tx.NewID()})
			return nil
		}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) taken() []string {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.runs
	b.runs = nil
	slices.Sort(out)
	return out
}

func (b *bench) want(names ...string) {
	b.t.Helper()
	if got := b.taken(); !slices.Equal(got, names) {
		b.t.Errorf("reconciled %v, want %v", got, names)
	}
}

func TestEveryKeyAtStartThenOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{})
		b.put("a", "b")
		b.start()
		b.want("a", "b")
		b.put("b")
		time.Sleep(time.Second)
		b.want("b")
		time.Sleep(time.Minute)
		b.want()
		if err := b.end(); err != nil {
			t.Error(err)
		}
	})
}

func TestMarksWithinDebounceAreOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{})
		b.Debounce = 10 * time.Millisecond
		b.start()
		b.put("a", "a", "a")
		synctest.Wait()
		b.want()
		time.Sleep(10 * time.Millisecond)
		b.want("a")
		if err := b.end(); err != nil {
			t.Error(err)
		}
	})
}

func TestFailuresAreTriedAgainLaterAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{})
		b.Backoff = loop.Backoff{Min: time.Second, Max: 3 * time.Second}
		b.fail = func(string, int) error { return errors.New("no") }
		b.put("a")
		b.start()
		b.want("a")
		for _, seconds := range []int{1, 2, 3, 3} {
			time.Sleep(time.Duration(seconds)*time.Second - time.Nanosecond)
			b.want()
			time.Sleep(time.Nanosecond)
			b.want("a")
		}
		if err := b.end(); err != nil {
			t.Error(err)
		}
	})
}

func TestResyncAfterLostWatchAndFromTimeToTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lose := false
		b := newBench(t, mem.Options{Faults: mem.Faults{LoseWatch: func(int64) bool { return lose }}})
		b.Resync = time.Hour
		b.put("a", "b")
		b.start()
		b.want("a", "b")
		lose = true
		b.put("b")
		time.Sleep(time.Second)
		b.want("a", "b")
		lose = false
		time.Sleep(time.Hour)
		b.want("a", "b")
		if err := b.end(); err != nil {
			t.Error(err)
		}
	})
}

func TestAfterAsksToBeCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{})
		inner := b.Reconcile
		b.Reconcile = func(ctx context.Context, key string) (loop.Result, error) {
			_, err := inner(ctx, key)
			return loop.Result{After: time.Minute}, err
		}
		b.put("a")
		b.start()
		b.want("a")
		time.Sleep(2 * time.Minute)
		b.want("a", "a")
		if err := b.end(); err != nil {
			t.Error(err)
		}
	})
}

func TestWorkersAreBoundedAndRunWaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{})
		b.Workers = 2
		var mu sync.Mutex
		now, most := 0, 0
		count := func(by int) {
			mu.Lock()
			defer mu.Unlock()
			now += by
			most = max(most, now)
		}
		b.Reconcile = func(context.Context, string) (loop.Result, error) {
			count(1)
			defer count(-1)
			time.Sleep(time.Second)
			return loop.Result{}, nil
		}
		b.put("a", "b", "c", "d", "e")
		b.start()
		if err := b.end(); err != nil {
			t.Error(err)
		}
		if now != 0 || most != 2 {
			t.Errorf("%d workers still run, there were %d at once", now, most)
		}
	})
}

func TestLostLeadershipEndsTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{})
		b.fail = func(string, int) error { return store.ErrNotLeader }
		b.put("a")
		if err := loop.Run(t.Context(), b.Config); !errors.Is(err, store.ErrNotLeader) {
			t.Errorf("error %v", err)
		}
	})
}

func TestClosedStoreEndsTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{})
		go func() { _ = b.store.Close() }()
		if err := loop.Run(t.Context(), b.Config); !errors.Is(err, store.ErrClosed) {
			t.Errorf("error %v", err)
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	if err := loop.Run(t.Context(), loop.Config{}); err == nil {
		t.Error("an empty configuration was accepted")
	}
}
