package ecsapi

import (
	"context"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DescribeContainerInstances answers container instances, also INACTIVE ones.
func (a *API) DescribeContainerInstances(ctx context.Context, c wire.Call, in *shape.DescribeContainerInstancesRequest) (*shape.DescribeContainerInstancesResponse, error) {
	if n := len(in.ContainerInstances); n == 0 || n > 100 {
		return nil, request.Invalid("ContainerInstances must have between 1 and 100 elements.")
	}
	out := &shape.DescribeContainerInstancesResponse{ContainerInstances: []shape.ContainerInstance{}, Failures: []shape.Failure{}}
	err := a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		for _, ref := range in.ContainerInstances {
			id, err := request.MemberID(k.Home, k.Name, "container-instance", ref)
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
	v := tables.ViewInstance(tx, i)
	out := ecs.RenderInstance(v)
	if slices.Contains(include, shape.ContainerInstanceFieldTags) {
		out.Tags = orEmpty(i.Tags)
	}
	if slices.Contains(include, shape.ContainerInstanceFieldContainerInstanceHealth) {
		out.HealthStatus = ecs.RenderInstanceHealth(v.State)
	}
	return out
}
