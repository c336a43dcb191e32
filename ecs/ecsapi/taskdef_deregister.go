package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DeregisterTaskDefinition makes a revision INACTIVE: existing services go on with
// it, nothing new starts from it.
func (a *API) DeregisterTaskDefinition(ctx context.Context, c wire.Call, in *shape.DeregisterTaskDefinitionRequest) (*shape.DeregisterTaskDefinitionResponse, error) {
	r, err := request.ExactRevision(home(c), aws.Val(in.TaskDefinition))
	if err != nil {
		return nil, err
	}
	out := &shape.DeregisterTaskDefinitionResponse{}
	err = a.store.Update(ctx, func(tx store.Tx) error {
		d, ok := tables.TaskDefinitions.Get(tx, tables.RevisionKey(home(c), r.Family, r.Number))
		if !ok {
			return errNoTaskDef
		}
		next := *d
		if aws.Val(d.Document.Status) == shape.TaskDefinitionStatusActive {
			next.Document.Status = aws.Ptr(shape.TaskDefinitionStatusInactive)
			next.Document.DeregisteredAt = aws.At(tx.Now())
			tables.TaskDefinitions.Put(tx, &next)
			retire(tx, &next)
		}
		out.TaskDefinition = &next.Document
		return nil
	})
	return out, err
}

// retire lets the family's newest ACTIVE revision be an older one.
func retire(tx store.Tx, d *ecs.TaskDefinition) {
	f, ok := tables.Families.Get(tx, tables.At(d.Home).Key(d.Family))
	if !ok || f.Active != d.Revision {
		return
	}
	next := *f
	next.Active = 0
	for _, o := range tables.TaskDefinitions.List(tx, tables.At(d.Home).Prefix(d.Family), "") {
		if aws.Val(o.Document.Status) == shape.TaskDefinitionStatusActive {
			next.Active = o.Revision
		}
	}
	if next.Active > 0 {
		// It may be deregistered at the same time, which, as it is not the newest yet, leaves the family alone.
		tables.TaskDefinitions.Get(tx, tables.RevisionKey(d.Home, d.Family, next.Active))
	}
	tables.Families.Put(tx, &next)
}
