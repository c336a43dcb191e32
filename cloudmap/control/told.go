package control

import (
	"context"
	"iter"
	"time"

	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// told makes what clients told of instances' health count when its time has come. Keys are those of healths.
type told struct{ store store.Store }

func (l told) config() loop.Config {
	return loop.Config{
		Name: "cloudmap-told", Store: l.store, Tables: []string{tables.Healths.Name()}, Debounce: -1,
		Dirty: func(_ store.Tx, c store.Change) []string {
			if _, now, ok := tables.Healths.Of(c); !ok || now == nil || now.Next == "" {
				return nil
			}
			return []string{c.Key}
		},
		All: func(tx store.Tx) iter.Seq[string] {
			return func(yield func(string) bool) {
				for k := range tables.HealthsDue.List(tx, "", "") {
					if !yield(k) {
						return
					}
				}
			}
		},
		Reconcile: l.ripen,
	}
}

func (l told) ripen(ctx context.Context, key string) (loop.Result, error) {
	var wait time.Duration
	err := l.store.Update(ctx, func(tx store.Tx) error {
		h, ok := tables.Healths.Get(tx, key)
		if !ok || h.Next == "" {
			return nil
		}
		if wait = h.Due.Sub(tx.Now()); wait <= 0 {
			tables.Healths.Put(tx, h.Ripen(tx.Now()))
		}
		return nil
	})
	return loop.Result{After: max(0, wait)}, err
}
