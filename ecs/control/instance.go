package control

import (
	"context"
	"iter"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// instances ends the tasks of INACTIVE container instances: nobody will report on them any more. A key is an instance's.
//
// An agent that is only disconnected is no reason to end anything: its tasks go on, and their connectivity is derived from the instance's
// state when they are described.
type instances struct {
	store store.Store
	wings tables.Wings
}

func (i instances) config() loop.Config {
	return loop.Config{
		Name: "instances", Store: i.store, Tables: []string{tables.InstanceStates.Name(), tables.TaskStatuses.Name()},
		Dirty: i.dirty, All: i.all, Reconcile: i.reconcile, Workers: 2,
	}
}

func (i instances) all(tx store.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key, s := range tables.InstanceStates.List(tx, "", "") {
			if s.Status == ecs.InstanceInactive && !yield(key) {
				return
			}
		}
	}
}

func (i instances) dirty(tx store.Tx, c store.Change) []string {
	if _, now, ok := tables.InstanceStates.Of(c); ok && now != nil && now.Status == ecs.InstanceInactive {
		return []string{c.Key}
	}
	// A task that was on its way when its instance went.
	if old, now, ok := tables.TaskStatuses.Of(c); ok && old == nil && now != nil {
		key := tables.HostKey(now.Home, now.RunsOn())
		if s, ok := tables.InstanceStates.Peek(tx, key); ok && s.Status == ecs.InstanceInactive {
			return []string{key}
		}
	}
	return nil
}

func (i instances) reconcile(ctx context.Context, key string) (loop.Result, error) {
	for more := true; more; {
		err := i.store.Update(ctx, func(tx store.Tx) error { more = tables.AbandonTasks(tx, i.wings, key); return nil })
		if err != nil {
			return loop.Result{}, err
		}
	}
	return loop.Result{}, nil
}
