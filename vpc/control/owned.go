package control

import (
	"context"
	"iter"

	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
)

// owned deletes interfaces whose owner is gone. A key is an interface's.
type owned struct {
	*Loops
	store store.Store
}

func (o owned) config() loop.Config {
	return loop.Config{
		Name: "vpc-interfaces", Store: o.store, Dirty: o.dirty, All: o.all, Reconcile: o.reconcile,
		Tables: append([]string{tables.NATGateways.Name()}, o.Owners.Tables()...),
	}
}

// all are the keys of interfaces that have an owner.
func (o owned) all(tx store.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key, i := range tables.Interfaces.List(tx, "", "") {
			if i.Owner != "" && !yield(key) {
				return
			}
		}
	}
}

// dirty are the interfaces of an owner that ended. An interface is made in the transaction that makes its owner, so that the making of one
// needs no look.
func (o owned) dirty(tx store.Tx, c store.Change) (keys []string) {
	h, owner, ok := o.Owners.Ended(c)
	if old, now, nat := tables.NATGateways.Of(c); nat && old != nil && (now == nil || !now.DeletedAt.IsZero()) {
		h, owner, ok = old.Home, old.ID, true
	}
	if !ok {
		return nil
	}
	for key := range tables.InterfacesByOwner.List(tx, tables.OwnerKey(h, owner), "") {
		keys = append(keys, key)
	}
	return keys
}

// needed says whether an interface's owner is there.
func (o owned) needed(tx store.Tx, i *vpc.Interface) bool {
	if tables.IsNAT(i.Owner) {
		return tables.NATLives(tx, i.Home, i.Owner)
	}
	return i.Owner == "" || o.Owners.Owned(tx, i)
}

func (o owned) reconcile(ctx context.Context, key string) (loop.Result, error) {
	over := false
	look := func(tx store.Tx) error {
		i, ok := tables.Interfaces.Peek(tx, key)
		over = ok && !o.needed(tx, i)
		return nil
	}
	if err := o.store.View(ctx, store.Any, look); err != nil || !over {
		return loop.Result{}, err
	}
	var gone *vpc.Interface
	err := o.store.Update(ctx, func(tx store.Tx) error {
		gone = nil
		if i, ok := tables.Interfaces.Get(tx, key); ok && !o.needed(tx, i) {
			tables.Release(tx, i.Home, i.ID)
			gone = i
		}
		return nil
	})
	if err == nil && gone != nil {
		o.Log.Info("an interface went with its owner", "interface", gone.ID, "owner", gone.Owner)
	}
	return loop.Result{}, err
}
