package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DeregisterContainerInstance makes an instance INACTIVE: its agent is not listened
// to any more. With force its tasks are given up, some at a time; a call that dies
// in between is finished by the next.
func (a *API) DeregisterContainerInstance(ctx context.Context, c wire.Call, in *shape.DeregisterContainerInstanceRequest) (*shape.DeregisterContainerInstanceResponse, error) {
	h := home(c)
	name, err := request.ClusterName(h, in.Cluster)
	if err != nil {
		return nil, err
	}
	id, err := request.MemberID(h, name, "container-instance", aws.Val(in.ContainerInstance))
	if err != nil {
		return nil, err
	}
	key := tables.MemberKey(h, name, id)
	if err := a.deactivate(ctx, c, in, key); err != nil {
		return nil, err
	}
	for more := true; more; {
		err := a.store.Update(ctx, func(tx store.Tx) error { more = tables.AbandonTasks(tx, a.wings, key); return nil })
		if err != nil {
			return nil, err
		}
	}
	a.log.InfoContext(ctx, "container instance deregistered", "cluster", name, "instance", id, "force", aws.Val(in.Force))
	var out shape.ContainerInstance
	err = a.view(ctx, func(tx store.Tx) error {
		i, ok := tables.Instances.Peek(tx, key)
		if !ok {
			return request.Invalid("Referenced container instance %s not found.", id)
		}
		out = describeInstance(tx, i, nil)
		return nil
	})
	return &shape.DeregisterContainerInstanceResponse{ContainerInstance: &out}, err
}

// deactivate is the first step. It guards the ledger, which every launch writes, so
// that no task comes between the look at the tasks and the write.
func (a *API) deactivate(ctx context.Context, c wire.Call, in *shape.DeregisterContainerInstanceRequest, key string) error {
	return a.store.Update(ctx, func(tx store.Tx) error {
		if _, err := cluster(tx, home(c), in.Cluster); err != nil {
			return err
		}
		if err := myInstance(tx, c, key); err != nil {
			return err
		}
		i, known := tables.Instances.Peek(tx, key)
		s, ok := tables.InstanceStates.Get(tx, key)
		if !known || !ok {
			return request.Invalid("Referenced container instance %s not found.", aws.Val(in.ContainerInstance))
		}
		tables.Ledgers.Get(tx, tables.LedgerKey(i.Region, i.Node))
		live := tables.StatusByHost.Count(tx, tables.Is(key, tables.Live))
		if live > 0 && !aws.Val(in.Force) && s.Status != ecs.InstanceInactive {
			return running(tx, key)
		}
		if s.Status == ecs.InstanceInactive {
			return nil
		}
		tables.Deregister(tx, s, "")
		return nil
	})
}

// running is the error of a container instance (by MemberKey) that has tasks: also of one that has only such as no client sees.
func running(tx store.Tx, key string) error {
	for v := range tables.TasksOfHost(tx, key, tables.Live) {
		if !launch.Hidden(v.Cluster) {
			return errRunningTasks
		}
	}
	return errRunningNodes
}
