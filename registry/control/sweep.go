package control

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
)

// sweeper removes what nobody refers to. A key is what a deleted repository held, or the one key of everything that ages.
type sweeper struct {
	*Loops
	store store.Store
}

const (
	ageing = "ageing"
	gone   = "gone|"
)

func (s sweeper) config() loop.Config {
	return loop.Config{
		Name: "registry-sweep", Store: s.store, Dirty: s.dirty, All: s.all, Reconcile: s.reconcile,
		Tables:  []string{tables.Repositories.Name()},
		Workers: 1, Debounce: 100 * time.Millisecond, Resync: 6 * time.Hour,
	}
}

// all is the key of what ages, and those of repositories whose removal was cut off.
func (s sweeper) all(tx store.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(ageing) {
			return
		}
		for _, k := range keepers {
			for prefix := range k.holders(tx) {
				if tables.RepositoriesByID.Count(tx, prefix) == 0 && !yield(gone+prefix) {
					return
				}
			}
		}
	}
}

func (s sweeper) dirty(_ store.Tx, c store.Change) []string {
	if old, now, ok := tables.Repositories.Of(c); ok && old != nil && (now == nil || now.ID != old.ID) {
		return []string{gone + tables.Holds(old.Home, old.ID)}
	}
	return nil
}

func (s sweeper) reconcile(ctx context.Context, key string) (loop.Result, error) {
	if prefix, ok := strings.CutPrefix(key, gone); ok {
		return loop.Result{}, s.forget(ctx, prefix)
	}
	retention := s.Retention
	if s.Pressed != nil && s.Pressed() {
		retention = min(retention, underPressure)
	}
	since := s.Now().Add(-retention)
	for _, step := range []func(context.Context, time.Time) error{s.uploads, s.layers, s.content} {
		if err := step(ctx, since); err != nil {
			return loop.Result{}, err
		}
	}
	return loop.Result{After: max(time.Second, min(s.Retention/4, 15*time.Minute))}, nil
}

// perStep is how many records go in one transaction.
const perStep = 90

// forget deletes what a deleted repository held.
func (s sweeper) forget(ctx context.Context, prefix string) error {
	for _, k := range keepers {
		for more := true; more; {
			n := 0
			err := s.store.Update(ctx, func(tx store.Tx) error {
				n, more = 0, false
				if tables.RepositoriesByID.Count(tx, prefix) > 0 {
					return nil
				}
				for _, key := range k.keys(tx, prefix, perStep) {
					k.remove(tx, key)
					n++
				}
				more = n == perStep
				return nil
			})
			if err != nil {
				return err
			}
			s.removed.WithLabelValues("record").Add(float64(n))
		}
	}
	return nil
}

// uploads ends those that nobody went on with. An upload that is open stays, however old.
func (s sweeper) uploads(ctx context.Context, since time.Time) error {
	left := map[string]bool{}
	for u, err := range s.Blobs.Uploads(ctx) {
		if err != nil {
			return err
		}
		done, err := s.Blobs.Abort(ctx, u.ID, since)
		if err != nil {
			return err
		}
		if done {
			s.removed.WithLabelValues("upload").Inc()
		} else {
			left[u.ID] = true
		}
	}
	var over []string
	err := s.store.View(ctx, store.Any, func(tx store.Tx) error {
		for key, u := range tables.Uploads.List(tx, "", "") {
			if !left[u.ID] && u.StartedAt.Before(since) {
				over = append(over, key)
			}
		}
		return nil
	})
	for _, key := range over {
		if err == nil {
			err = s.store.Update(ctx, func(tx store.Tx) error { tables.Uploads.Delete(tx, key); return nil })
		}
	}
	return err
}

// layers takes away those that no image of their repository has.
func (s sweeper) layers(ctx context.Context, since time.Time) error {
	var idle []string
	err := s.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		for key, l := range tables.Layers.List(tx, "", "") {
			if l.At.Before(since) && tables.ImagesByPart.Count(tx, key) == 0 {
				idle = append(idle, key)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range idle {
		var dropped bool
		if err := s.store.Update(ctx, func(tx store.Tx) error { dropped = tables.DropLayer(tx, key, since); return nil }); err != nil {
			return err
		}
		if dropped {
			s.removed.WithLabelValues("layer").Inc()
		}
	}
	return nil
}

// content deletes what no record refers to. The records are read after the time of the object: whoever writes a
// reference later has touched the object, and then it stays.
func (s sweeper) content(ctx context.Context, since time.Time) error {
	var old []string
	for b, err := range s.Blobs.List(ctx) {
		if err != nil {
			return err
		}
		if b.Touched.Before(since) {
			old = append(old, b.Digest)
		}
	}
	var idle []string
	err := s.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		for _, digest := range old {
			if !tables.Referenced(tx, digest) {
				idle = append(idle, digest)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, digest := range idle {
		done, err := s.Blobs.Delete(ctx, digest, since)
		if err != nil {
			return err
		}
		if done {
			s.removed.WithLabelValues("blob").Inc()
		}
	}
	return nil
}
