package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
)

// removal is the deletion of something that must be unused.
type removal struct {
	// find answers the id of what is to be deleted, or why it cannot be: it is not there, or something uses it.
	find   func(tx store.Tx, h vpc.Home) (id string, err error)
	remove func(tx store.Tx, h vpc.Home, id string)
}

// deleteUnused deletes something unless it is used, also by those who begin to use it at the same time: package tables says how (Doubt).
func (a *API) deleteUnused(ctx context.Context, c wire.Call, r removal) (id string, err error) {
	for {
		var mark string
		if err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
			var err error
			if id, err = r.find(tx, h); err == nil {
				mark = tables.Doubt(tx, h, id)
			}
			return err
		}); err != nil {
			return "", err
		}
		var done bool
		var refusal error
		err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
			done = tables.Undisputed(tx, h, id, mark)
			if _, refusal = r.find(tx, h); refusal == nil && done {
				r.remove(tx, h, id)
			}
			return nil // a refusal, too, takes the mark away
		})
		if err != nil {
			return "", err
		}
		if refusal != nil {
			return "", refusal
		}
		if done {
			return id, nil
		}
	}
}
