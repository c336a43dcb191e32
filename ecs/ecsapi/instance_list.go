package ecsapi

import (
	"context"
	"iter"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place/query"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ListContainerInstances lists a cluster's instances of a status (all but INACTIVE
// unless told) that match a filter in the cluster query language.
func (a *API) ListContainerInstances(ctx context.Context, c wire.Call, in *shape.ListContainerInstancesRequest) (*shape.ListContainerInstancesResponse, error) {
	var filter *query.Expr
	if s := aws.Val(in.Filter); s != "" {
		var err error
		if filter, err = query.Parse(s); err != nil {
			return nil, request.Invalid("Invalid expression: %v", err)
		}
	}
	out := &shape.ListContainerInstancesResponse{}
	err := a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		p := page(c, slice{in.NextToken, in.MaxResults, 100}, k.Name, dereferenced(in.Filter, in.Status))
		out.ContainerInstanceArns, out.NextToken, err = paged(p, func(after string) iter.Seq2[string, string] {
			return arns(tables.Instances.List(tx, tables.At(k.Home).Prefix(k.Name), after), func(key string, i *ecs.Instance) bool {
				return statusIs(tx, key, aws.Val(in.Status)) && matches(tx, filter, i)
			})
		})
		return err
	})
	return out, err
}

func statusIs(tx store.Tx, key, status string) bool {
	s, ok := tables.InstanceStates.Peek(tx, key)
	if !ok {
		return false
	}
	if status == "" {
		return s.Status != ecs.InstanceInactive
	}
	return s.Status == status
}

func matches(tx store.Tx, filter *query.Expr, i *ecs.Instance) bool {
	return filter == nil || tables.Satisfies(tx, i, filter)
}
