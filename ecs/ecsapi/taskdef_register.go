package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/taskdef"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// RegisterTaskDefinition makes the next revision of a family. Numbers are never
// used again.
func (a *API) RegisterTaskDefinition(ctx context.Context, c wire.Call, in *shape.RegisterTaskDefinitionRequest) (*shape.RegisterTaskDefinitionResponse, error) {
	if err := request.CheckTags(in.Tags); err != nil {
		return nil, err
	}
	// The request is judged before a revision is taken, and before it makes a key.
	if _, err := taskdef.Build(in, taskdef.Facts{Home: home(c), Revision: 1}); err != nil {
		return nil, err
	}
	out := &shape.RegisterTaskDefinitionResponse{}
	err := a.store.Update(ctx, func(tx store.Tx) error {
		f := ecs.Family{Home: home(c), Name: aws.Val(in.Family)}
		if known, ok := tables.Families.Get(tx, tables.At(f.Home).Key(f.Name)); ok {
			f = *known
		}
		f.Last++
		f.Active = f.Last
		doc, err := taskdef.Build(in, taskdef.Facts{Home: f.Home, Revision: f.Last, At: tx.Now(), By: c.Principal})
		if err != nil {
			return err
		}
		tables.Families.Put(tx, &f)
		out.TaskDefinition, out.Tags = doc, orEmpty(in.Tags)
		d := &ecs.TaskDefinition{Home: f.Home, Family: f.Name, Revision: f.Last, Document: *doc, Tags: in.Tags}
		return tables.TaskDefinitions.Create(tx, d)
	})
	return out, err
}
