package region

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// withdraw deregisters the container instances of a machine that is gone, and gives their tasks up, so that services replace them. What was cut off
// is finished by saying it again. It answers how many instances it found that were not INACTIVE.
func withdraw(ctx context.Context, s store.Store, wings tables.Wings, node string) (int, error) {
	var keys []string
	err := s.View(ctx, store.Fresh, func(tx store.Tx) error {
		for key, i := range tables.Instances.List(tx, "", "") {
			if i.Node == node {
				keys = append(keys, key)
			}
		}
		return nil
	})
	found := 0
	for _, key := range keys {
		was := false
		if err == nil {
			err = s.Update(ctx, func(tx store.Tx) error { was = inactive(tx, key); return nil })
		}
		for more := err == nil; more && err == nil; {
			err = s.Update(ctx, func(tx store.Tx) error { more = tables.AbandonTasks(tx, wings, key); return nil })
		}
		if was {
			found++
		}
	}
	return found, err
}

// inactive makes an instance INACTIVE, and tells whether it was not. Whoever places a task there writes its ledger, so none comes in between.
func inactive(tx store.Tx, key string) bool {
	i, known := tables.Instances.Get(tx, key)
	s, ok := tables.InstanceStates.Get(tx, key)
	if !known || !ok || s.Status == ecs.InstanceInactive {
		return false
	}
	tables.Ledgers.Get(tx, tables.LedgerKey(i.Region, i.Node))
	tables.Deregister(tx, s, "")
	return true
}
