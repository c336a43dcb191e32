package region

import (
	"context"
	"fmt"

	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/store"
)

// expel ends the sessions of machines that are removed, whichever server removes them, until ctx ends. Their keys are refused by the keyring; what
// a machine has open asks for none. A server that is removed itself ends; one that keeps the store with the others is told by them.
func expel(ctx context.Context, r rooms, sessions *hub.Hub) error {
	sub := r.store.Watch(ctx, tables.Machines.Name())
	defer sub.Close()
	for {
		batch, err := sub.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("watch machines: %w", err)
		}
		gone := batch.Resync
		for _, c := range batch.Changes {
			gone = gone || c.New == nil
		}
		if m := r.membership; gone && m.settings.SharesEtcd() && m.machine != "" && removed(ctx, r.store)(m.machine) {
			return errServerRemoved
		}
		if gone {
			sessions.Expel()
			r.nodes.link.Expel()
		}
	}
}

// removed tells whether a machine is gone by what this server has. That is enough: what it has not yet, expel is told of later.
func removed(ctx context.Context, s store.Store) func(machine string) bool {
	return func(machine string) bool {
		known := true // by a store that is closing
		_ = s.View(ctx, store.Any, func(tx store.Tx) error {
			_, known = tables.Known(tx, machine)
			return nil
		})
		return !known
	}
}
