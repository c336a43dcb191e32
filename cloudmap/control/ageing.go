package control

import (
	"context"
	"iter"
	"time"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// kept is how long operations are, and what is known of their requests.
const kept = 24 * time.Hour

// keptMost is how many operations of a home are kept at most, beside those that go on: clients that register all day would fill the memory.
const keptMost = 20_000

// atOnce is how many operations one transaction forgets; each is six keys at most.
const atOnce = 16

// ageing forgets operations. Keys begin those of a home's, which are in the order of time.
type ageing struct {
	store store.Store
	most  int // of a home
}

func (l ageing) config() loop.Config {
	return loop.Config{
		Name: "cloudmap-ageing", Store: l.store, Tables: []string{tables.Operations.Name()}, Debounce: time.Minute,
		Dirty: func(_ store.Tx, c store.Change) []string {
			if _, now, ok := tables.Operations.Of(c); ok && now != nil {
				return []string{tables.All(now.Home)}
			}
			return nil
		},
		All:       homes,
		Reconcile: l.forget,
	}
}

// homes yields each that has operations, without walking those.
func homes(tx store.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		for after, more := "", true; more; {
			more = false
			for _, o := range tables.Operations.List(tx, "", after) {
				home := tables.All(o.Home)
				if !yield(home) {
					return
				}
				after, more = home+"\xff", true
				break
			}
		}
	}
}

func (l ageing) forget(ctx context.Context, home string) (loop.Result, error) {
	for {
		var gone int
		var wait time.Duration
		err := l.store.Update(ctx, func(tx store.Tx) error {
			gone, wait = 0, 0
			over := tables.OperationsByHome.Count(tx, home) - l.most
			for _, o := range tables.Operations.List(tx, home, "") {
				if wait = kept - tx.Now().Sub(o.CreatedAt); wait > 0 && gone >= over || gone == atOnce {
					break
				}
				if wait > 0 && !cloudmap.Done(tables.Status(tx, o).Status) {
					over-- // it goes on, and is not one too many
					continue
				}
				forget(tx, o)
				gone++
			}
			return nil
		})
		if err != nil || gone < atOnce {
			return loop.Result{After: max(0, wait)}, err
		}
	}
}

// forget takes away what is known of an operation. One that went on for a day lets another one begin, and has the names of what it did not make
// no longer.
func forget(tx store.Tx, o *cloudmap.Operation) {
	key := tables.OperationKey(o.Home, o.ID)
	if !cloudmap.Done(tables.Status(tx, o).Status) {
		tables.Busies.Delete(tx, tables.Key(o.Home, o.Target()))
		if o.Wish.Create != nil {
			tables.GiveNames(tx, o.Wish.Create)
		}
	}
	tables.Operations.Delete(tx, key)
	tables.Statuses.Delete(tx, key)
	if o.CreatorRequestID != "" {
		tables.Tokens.Delete(tx, tables.NameKey(o.Home, o.Request, o.CreatorRequestID))
	}
}
