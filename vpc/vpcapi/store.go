package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
)

// view reads what every server acknowledged before the call. What every home has is there first.
func (a *API) view(ctx context.Context, c wire.Call, fn func(store.Tx, vpc.Home) error) error {
	h := homeOf(c)
	if err := a.EnsureBase(ctx, h); err != nil {
		return err
	}
	return a.Store.View(ctx, store.Fresh, func(tx store.Tx) error { return fn(tx, h) })
}

// update changes something in one transaction. What every home has is there first.
func (a *API) update(ctx context.Context, c wire.Call, fn func(store.Tx, vpc.Home) error) error {
	h := homeOf(c)
	if err := a.EnsureBase(ctx, h); err != nil {
		return err
	}
	return a.Store.Update(ctx, func(tx store.Tx) error { return fn(tx, h) })
}

// EnsureBase makes a home's default VPC, unless it was made before.
func (a *API) EnsureBase(ctx context.Context, h vpc.Home) error {
	made := false
	if err := a.Store.View(ctx, store.Any, func(tx store.Tx) error { made = tables.HasBase(tx, h); return nil }); err != nil || made {
		return err
	}
	return a.Store.Update(ctx, func(tx store.Tx) error { return tables.EnsureBase(tx, h, a.Zones(h.Region)) })
}
