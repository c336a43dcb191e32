package ecsapi

import (
	"context"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DescribeContainerInstances answers container instances, also INACTIVE ones.
func (a *API) DescribeContainerInstances(ctx context.Context, c wire.Call, in *shape.DescribeContainerInstancesRequest) (*shape.DescribeContainerInstancesResponse, error) {
	if n := len(in.ContainerInstances); n == 0 || n > 100 {
		return nil, invalid("ContainerInstances must have between 1 and 100 elements.")
	}
	out := &shape.DescribeContainerInstancesResponse{ContainerInstances: []shape.ContainerInstance{}, Failures: []shape.Failure{}}
	err := a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		for _, ref := range in.ContainerInstances {
			id, err := memberID(k.Home, k.Name, "container-instance", ref)
			if err != nil {
				return err
			}
			i, ok := tables.Instances.Peek(tx, tables.MemberKey(k.Home, k.Name, id))
			if !ok {
				out.Failures = append(out.Failures, missing(k.InstanceARN(k.Name, id)))
				continue
			}
			out.ContainerInstances = append(out.ContainerInstances, describeInstance(tx, i, in.Include))
		}
		return nil
	})
	return out, err
}

// describeInstance gathers and renders a container instance with includes.
func describeInstance(tx store.Tx, i *ecs.Instance, include []string) shape.ContainerInstance {
	key := tables.MemberKey(i.Home, i.Cluster, i.ID)
	v := ecs.InstanceView{Instance: i, State: &ecs.InstanceState{Status: ecs.InstanceInactive}}
	if s, ok := tables.InstanceStates.Peek(tx, key); ok {
		v.State = s
	}
	if l, ok := tables.Ledgers.Peek(tx, tables.LedgerKey(i.Region, i.Node)); ok {
		v.Ledger = l
	}
	v.Running = int32(tables.DesiredByInstance.Count(tx, tables.Is(key, ecs.TaskRunning)))
	for t := range tables.TasksOfInstance(tx, key, tables.Live) {
		if t.Pending() {
			v.Pending++
		}
	}
	out := ecs.RenderInstance(v)
	if slices.Contains(include, shape.ContainerInstanceFieldTags) {
		out.Tags = orEmpty(i.Tags)
	}
	if slices.Contains(include, shape.ContainerInstanceFieldContainerInstanceHealth) {
		out.HealthStatus = ecs.RenderInstanceHealth(v.State)
	}
	return out
}
