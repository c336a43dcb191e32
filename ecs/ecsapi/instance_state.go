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

// UpdateContainerInstancesState sets instances to ACTIVE or DRAINING. Nothing new is
// placed on a DRAINING instance, and its service tasks move away.
func (a *API) UpdateContainerInstancesState(ctx context.Context, c wire.Call, in *shape.UpdateContainerInstancesStateRequest) (*shape.UpdateContainerInstancesStateResponse, error) {
	status := aws.Val(in.Status)
	if status != ecs.InstanceActive && status != ecs.InstanceDraining {
		return nil, request.Invalid("Container instance status should be one of [ACTIVE,DRAINING]")
	}
	if n := len(in.ContainerInstances); n == 0 || n > 10 {
		return nil, request.Invalid("ContainerInstances must have between 1 and 10 elements.")
	}
	var out *shape.UpdateContainerInstancesStateResponse
	err := a.store.Update(ctx, func(tx store.Tx) error {
		out = &shape.UpdateContainerInstancesStateResponse{ContainerInstances: []shape.ContainerInstance{}, Failures: []shape.Failure{}}
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		for _, ref := range in.ContainerInstances {
			id, err := request.MemberID(k.Home, k.Name, "container-instance", ref)
			if err != nil {
				return err
			}
			if err := myInstance(tx, c, tables.MemberKey(k.Home, k.Name, id)); err != nil {
				return err
			}
			setState(tx, k, id, status, out)
		}
		return nil
	})
	return out, err
}

func setState(tx store.Tx, k *ecs.Cluster, id, status string, out *shape.UpdateContainerInstancesStateResponse) {
	key := tables.MemberKey(k.Home, k.Name, id)
	i, known := tables.Instances.Peek(tx, key)
	s, ok := tables.InstanceStates.Get(tx, key)
	if !known || !ok {
		out.Failures = append(out.Failures, missing(k.InstanceARN(k.Name, id)))
		return
	}
	if s.Status == ecs.InstanceInactive {
		out.Failures = append(out.Failures, shape.Failure{Arn: aws.Ptr(i.ARN()), Reason: aws.Ptr(ecs.InstanceInactive)})
		return
	}
	if s.Status != status {
		next := *s
		next.Status = status
		next.Version++
		tables.InstanceStates.Put(tx, &next)
	}
	out.ContainerInstances = append(out.ContainerInstances, describeInstance(tx, i, nil))
}
