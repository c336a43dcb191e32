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

// UpdateCluster changes a cluster's settings and configuration; what is absent
// stays.
func (a *API) UpdateCluster(ctx context.Context, c wire.Call, in *shape.UpdateClusterRequest) (*shape.UpdateClusterResponse, error) {
	out, err := a.changeCluster(ctx, c, in.Cluster, func(k *ecs.Cluster) error {
		if in.Configuration != nil {
			k.Configuration = in.Configuration
		}
		if in.Settings == nil {
			return nil
		}
		settings, err := request.ClusterSettings(in.Settings, "disabled")
		k.Settings = settings
		return err
	})
	return &shape.UpdateClusterResponse{Cluster: out}, err
}

// UpdateClusterSettings changes a cluster's settings.
func (a *API) UpdateClusterSettings(ctx context.Context, c wire.Call, in *shape.UpdateClusterSettingsRequest) (*shape.UpdateClusterSettingsResponse, error) {
	if len(in.Settings) == 0 {
		return nil, request.Invalid("Settings cannot be empty.")
	}
	out, err := a.changeCluster(ctx, c, in.Cluster, func(k *ecs.Cluster) error {
		settings, err := request.ClusterSettings(in.Settings, "disabled")
		k.Settings = settings
		return err
	})
	return &shape.UpdateClusterSettingsResponse{Cluster: out}, err
}

// changeCluster applies a change to a copy of an ACTIVE cluster and answers it.
func (a *API) changeCluster(ctx context.Context, c wire.Call, ref *string, change func(*ecs.Cluster) error) (*shape.Cluster, error) {
	var out shape.Cluster
	err := a.store.Update(ctx, func(tx store.Tx) error {
		k, err := activeCluster(tx, home(c), ref)
		if err != nil {
			return err
		}
		next := *k
		if err := change(&next); err != nil {
			return err
		}
		tables.Clusters.Put(tx, &next)
		out = describeCluster(tx, &next, everything)
		return nil
	})
	return &out, err
}
