package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DeleteCluster makes an empty cluster INACTIVE, in two steps. The first marks it as
// being deleted: whoever creates something in it compares that mark, so that after
// it nothing new can come. The second looks again and finishes, or takes the mark
// back and refuses. A call that dies in between is finished by the next.
func (a *API) DeleteCluster(ctx context.Context, c wire.Call, in *shape.DeleteClusterRequest) (*shape.DeleteClusterResponse, error) {
	h := home(c)
	name, err := request.ClusterName(h, in.Cluster)
	if err != nil {
		return nil, err
	}
	var out shape.Cluster
	gone, err := a.markDeleting(ctx, h, name)
	if err == nil && !gone {
		err = a.finishDeleting(ctx, h, name)
	}
	if err != nil {
		return nil, err
	}
	err = a.view(ctx, func(tx store.Tx) error {
		k, ok := tables.Clusters.Peek(tx, tables.ClusterKey(h, name))
		if !ok {
			return errClusterNotFound
		}
		out = describeCluster(tx, k, everything)
		return nil
	})
	return &shape.DeleteClusterResponse{Cluster: &out}, err
}

// markDeleting is the first step; it answers true when the cluster is gone already.
func (a *API) markDeleting(ctx context.Context, h ecs.Home, name string) (gone bool, err error) {
	err = a.store.Update(ctx, func(tx store.Tx) error {
		k, ok := tables.Clusters.Get(tx, tables.ClusterKey(h, name))
		if !ok {
			return errClusterNotFound
		}
		if gone = k.Status == ecs.ClusterInactive; gone {
			return nil
		}
		if err := occupied(tx, k); err != nil {
			return err
		}
		tables.Clusters.Put(tx, withStatus(k, ecs.ClusterDeleting))
		return nil
	})
	return gone, err
}

// finishDeleting is the second.
func (a *API) finishDeleting(ctx context.Context, h ecs.Home, name string) error {
	var refused error
	err := a.store.Update(ctx, func(tx store.Tx) error {
		k, ok := tables.Clusters.Get(tx, tables.ClusterKey(h, name))
		if !ok || k.Status != ecs.ClusterDeleting {
			return nil
		}
		next := ecs.ClusterInactive
		if refused = occupied(tx, k); refused != nil {
			next = ecs.ClusterActive
		}
		tables.Clusters.Put(tx, withStatus(k, next))
		return nil
	})
	if err != nil {
		return err
	}
	return refused
}

func withStatus(k *ecs.Cluster, status string) *ecs.Cluster {
	next := *k
	next.Status = status
	return &next
}

// occupied is AWS's refusal of what is still in a cluster, in AWS's order.
func occupied(tx store.Tx, k *ecs.Cluster) error {
	n := tables.CountCluster(tx, k)
	key := tables.ClusterKey(k.Home, k.Name)
	switch {
	case n.Instances > 0:
		return newError(shape.CodeClusterContainsContainerInstancesException,
			"The Cluster cannot be deleted while Container Instances are active or draining.")
	case n.Active()+n.Draining() > 0:
		return newError(shape.CodeClusterContainsServicesException, "The Cluster cannot be deleted while Services are active.")
	case tables.StatusByCluster.Count(tx, tables.Is(key, tables.Live)) > 0:
		return newError(shape.CodeClusterContainsTasksException, "The Cluster cannot be deleted while Tasks are active.")
	}
	return nil
}
