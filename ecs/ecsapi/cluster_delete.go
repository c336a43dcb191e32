package ecsapi

import (
	"context"
	"errors"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// errTakenBack says that another took the mark of a deletion back before its second
// step, and that what was in the way is gone since: the deletion begins anew.
var errTakenBack = errors.New("ecsapi: the mark of a deletion was taken back")

// DeleteCluster makes an empty cluster INACTIVE, in two steps. The first marks it as
// being deleted: whoever creates something in it compares that mark, so that after
// it nothing new can come. The second looks again and finishes, or takes the mark
// back and refuses. A call that dies in between is settled by the next, or by a
// control loop.
func (a *API) DeleteCluster(ctx context.Context, c wire.Call, in *shape.DeleteClusterRequest) (*shape.DeleteClusterResponse, error) {
	name, err := request.ClusterName(home(c), in.Cluster)
	if err != nil {
		return nil, err
	}
	key := tables.ClusterKey(home(c), name)
	for {
		marked, err := a.markDeleting(ctx, key)
		if err != nil {
			return nil, err
		}
		out, err := a.finishDeleting(ctx, key, marked)
		if !errors.Is(err, errTakenBack) {
			return &shape.DeleteClusterResponse{Cluster: out}, err
		}
	}
}

// markDeleting is the first step; it answers the cluster, which may be gone already.
func (a *API) markDeleting(ctx context.Context, key string) (marked *ecs.Cluster, err error) {
	err = a.store.Update(ctx, func(tx store.Tx) error {
		k, ok := tables.Clusters.Get(tx, key)
		if !ok {
			return errClusterNotFound
		}
		if marked = k; k.Status != ecs.ClusterActive {
			return nil
		}
		if err := tables.Occupied(tx, k); err != nil {
			return err
		}
		tables.MarkDeleting(tx, k)
		return nil
	})
	return marked, err
}

// finishDeleting is the second. Whoever settled the deletion before it, the answer is
// the same: the cluster that is gone, or why it cannot go.
func (a *API) finishDeleting(ctx context.Context, key string, marked *ecs.Cluster) (*shape.Cluster, error) {
	var out shape.Cluster
	var refused error
	err := a.store.Update(ctx, func(tx store.Tx) error {
		refused = nil
		k, ok := tables.Clusters.Get(tx, key)
		switch {
		case !ok || !k.CreatedAt.Equal(marked.CreatedAt): // gone, and perhaps another of its name is there
			k = marked.WithStatus(ecs.ClusterInactive, tx.Now())
		case k.Status == ecs.ClusterDeleting:
			k, refused = tables.SettleDeletion(tx, k)
		case k.Status == ecs.ClusterActive:
			if refused = tables.Occupied(tx, k); refused == nil {
				refused = errTakenBack
			}
		}
		out = describeCluster(tx, k, everything)
		return nil
	})
	if err == nil {
		err = refused
	}
	return &out, err
}
