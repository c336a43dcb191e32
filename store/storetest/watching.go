package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/store"
)

// follower keeps what a subscriber believes the table holds.
type follower struct {
	k        *kit
	sub      store.Subscription
	have     map[string]*item
	revision int64
	resyncs  int
	changes  int
}

func (k *kit) follow(s store.Store) *follower {
	f := &follower{k: k, sub: s.Watch(k.ctx, items.Name())}
	k.Cleanup(f.sub.Close)
	f.step()
	if f.resyncs != 1 {
		k.Fatal("the first batch is not a Resync")
	}
	return f
}

// step takes one batch and checks it against what came before and the snapshot it carries.
func (f *follower) step() bool {
	b, err := f.sub.Next(f.k.ctx)
	if err != nil {
		f.k.Errorf("next: %v", err)
		return false
	}
	if b.Revision < f.revision || b.Snapshot.Revision() != b.Revision {
		f.k.Errorf("batch at %d after %d, snapshot at %d", b.Revision, f.revision, b.Snapshot.Revision())
	}
	if b.Resync {
		f.resync(b)
	}
	for _, c := range b.Changes {
		f.apply(c)
	}
	f.revision = b.Revision
	f.compare(b)
	return true
}

func (f *follower) resync(b store.Batch) {
	f.resyncs++
	f.have = map[string]*item{}
	if len(b.Changes) != 0 {
		f.k.Error("a Resync with changes")
	}
	maps.Insert(f.have, items.List(b.Snapshot, "", ""))
}

func (f *follower) apply(c store.Change) {
	f.changes++
	was, is, ok := items.Of(c)
	if !ok {
		f.k.Errorf("change of table %s", c.Table)
	}
	if d := cmp.Diff(f.have[c.Key], was); d != "" {
		f.k.Errorf("change of %s at %d: old record: %s", c.Key, c.Revision, d)
	}
	if c.Revision <= f.revision {
		f.k.Errorf("change of %s at %d after %d", c.Key, c.Revision, f.revision)
	}
	delete(f.have, c.Key)
	if is != nil {
		f.have[c.Key] = is
	}
}

func (f *follower) compare(b store.Batch) {
	want := maps.Collect(items.List(b.Snapshot, "", ""))
	if d := cmp.Diff(want, f.have); d != "" {
		f.k.Errorf("at %d the batches do not add up to the snapshot: %s", b.Revision, d)
	}
}

// until steps until the record reaches n.
func (f *follower) until(id string, n int) {
	for {
		if i := f.have[scope.Key(id)]; i != nil && i.N == n {
			return
		}
		if !f.step() {
			return
		}
	}
}

var watchChecks = []check{
	{"a watch begins with everything and misses no change", func(k *kit) {
		k.do(k.a, put("old", 1))
		f := k.follow(k.b)
		if f.have[scope.Key("old")] == nil {
			k.see(k.b, store.Fresh, func(store.Tx) {})
		}
		r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same histories every time
		done := make(chan struct{})
		go func() {
			defer close(done)
			for n := range 150 {
				id := fmt.Sprint("i", r.IntN(10))
				del := r.IntN(4) == 0
				err := k.a.Update(k.ctx, func(tx store.Tx) error {
					if del {
						items.Delete(tx, scope.Key(id))
					} else {
						put(id, n)(tx)
						put("twin-"+id, n)(tx)
					}
					return nil
				})
				if err != nil {
					k.Error(err)
				}
			}
			k.do(k.a, put("end", 1))
		}()
		f.until("end", 1)
		<-done
		k.see(k.a, store.Fresh, func(tx store.Tx) {
			if n := len(all(tx)); n != len(f.have) {
				k.Errorf("%d records, the follower has %d", n, len(f.have))
			}
		})
	}},
	{"what one commit wrote arrives together", func(k *kit) {
		f := k.follow(k.b)
		k.do(k.a, func(tx store.Tx) { put("x", 0)(tx); put("y", 0)(tx) })
		var writer sync.WaitGroup
		defer writer.Wait()
		writer.Go(func() {
			for n := 1; n <= 60; n++ {
				k.do(k.a, func(tx store.Tx) { put("x", n)(tx); put("y", n)(tx) })
			}
		})
		for {
			if !f.step() {
				return
			}
			x, y := f.have[scope.Key("x")], f.have[scope.Key("y")]
			if (x == nil) != (y == nil) || x != nil && x.N != y.N {
				k.Fatalf("torn: %+v and %+v", x, y)
			}
			if x != nil && x.N == 60 {
				return
			}
		}
	}},
	{"only watched tables are reported", func(k *kit) {
		f := k.follow(k.a)
		k.do(k.a, func(tx store.Tx) { names.Put(tx, &name{ID: "n"}) })
		k.do(k.a, put("x", 1))
		f.until("x", 1)
		if f.changes != 1 || f.resyncs != 1 {
			k.Errorf("%d changes, %d resyncs", f.changes, f.resyncs)
		}
	}},
	{"a slow subscriber gets a new snapshot", func(k *kit) {
		f := k.follow(k.a)
		const rounds = 60
		for n := range rounds {
			k.do(k.a, func(tx store.Tx) {
				for i := range store.MaxWrites {
					put(fmt.Sprint("i", i), n)(tx)
				}
			})
		}
		f.until("i0", rounds-1)
		if f.resyncs < 2 {
			k.Errorf("%d changes were kept for a reader that did not come", f.changes)
		}
	}},
	{"a waiting reader can be told to stop", func(k *kit) {
		sub := k.a.Watch(k.ctx, items.Name())
		if _, err := sub.Next(k.ctx); err != nil {
			k.Fatal(err)
		}
		ctx, cancel := context.WithCancel(k.ctx)
		ended := make(chan error, 2)
		go func() { _, err := sub.Next(ctx); ended <- err }()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			k.Errorf("after ctx: %v", err)
		}
		go func() { _, err := sub.Next(k.ctx); ended <- err }()
		sub.Close()
		if err := <-ended; !errors.Is(err, store.ErrClosed) {
			k.Errorf("after Close: %v", err)
		}
	}},
}
