package control

import (
	"context"
	"iter"
	"maps"
	"time"

	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc/tables"
)

// ageing forgets what ends by itself. A key is a kind of records, or orphans.
type ageing struct {
	*Loops
	store store.Store
	looks map[string]time.Time // when a kind may be looked at again; one worker
}

// orphans is the key of rules whose group is gone. Only a deletion that was cut off leaves them, so that a look at every start and resync is enough.
const orphans = "orphans"

// pause is how long a kind is not looked at again: what is over waits for others that soon will be.
const pause = 10 * time.Second

func (a *ageing) config() loop.Config {
	a.looks = map[string]time.Time{}
	return loop.Config{
		Name: "vpc-sweep", Store: a.store, Dirty: a.dirty, All: a.all, Reconcile: a.reconcile,
		Tables:  []string{tables.Addresses.Name(), tables.PublicAddresses.Name(), tables.NATGateways.Name(), tables.Tokens.Name()},
		Workers: 1, Debounce: time.Second,
	}
}

func (a *ageing) all(store.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		for kind := range maps.Keys(tables.Kinds()) {
			if !yield(kind) {
				return
			}
		}
		yield(orphans)
	}
}

func (a *ageing) dirty(_ store.Tx, c store.Change) []string {
	if c.New == nil {
		return nil
	}
	switch c.Table {
	case tables.Addresses.Name():
		return []string{"addresses"}
	case tables.PublicAddresses.Name():
		return []string{"public addresses"}
	case tables.NATGateways.Name():
		return []string{"NAT gateways"}
	}
	return []string{"client tokens"}
}

func (a *ageing) reconcile(ctx context.Context, key string) (loop.Result, error) {
	if key == orphans {
		return loop.Result{}, a.orphans(ctx)
	}
	var now time.Time
	var over []string
	var next time.Time
	early := false
	kind := tables.Kinds()[key]
	err := a.store.View(ctx, store.Any, func(tx store.Tx) error {
		now = tx.Now()
		if early = now.Before(a.looks[key]); !early {
			over, next = kind.Over(tx)
		}
		return nil
	})
	switch {
	case err != nil:
		return loop.Result{}, err
	case early:
		return loop.Result{After: a.looks[key].Sub(now)}, nil
	}
	a.looks[key] = now.Add(pause)
	for len(over) > 0 {
		n := min(tables.MaxSwept, len(over))
		if err := a.store.Update(ctx, func(tx store.Tx) error {
			for _, k := range over[:n] {
				kind.Forget(tx, k)
			}
			return nil
		}); err != nil {
			return loop.Result{}, err
		}
		over = over[n:]
	}
	if next.IsZero() {
		return loop.Result{}, nil
	}
	return loop.Result{After: max(pause, next.Sub(now))}, nil
}

// orphans deletes the rules of groups that are gone.
func (a *ageing) orphans(ctx context.Context) error {
	var found map[tables.Orphan]bool
	if err := a.store.View(ctx, store.Any, func(tx store.Tx) error { found = tables.Orphans(tx); return nil }); err != nil {
		return err
	}
	for o := range found {
		for more := true; more; {
			if err := a.store.Update(ctx, func(tx store.Tx) error {
				more = false
				if _, back := tables.SecurityGroups.Get(tx, tables.Key(o.Home, o.Group)); !back {
					more = tables.DropRulesOf(tx, o.Home, o.Group)
				}
				return nil
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
