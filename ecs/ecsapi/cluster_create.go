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

// CreateCluster makes a cluster. A name that an ACTIVE cluster has answers that
// cluster as it is; an INACTIVE one's is free again. Container Insights is as the
// caller's account setting says, unless the request does.
func (a *API) CreateCluster(ctx context.Context, c wire.Call, in *shape.CreateClusterRequest) (*shape.CreateClusterResponse, error) {
	h := home(c)
	name, err := request.ClusterName(h, in.ClusterName)
	if err != nil {
		return nil, err
	}
	if _, err := request.ClusterSettings(in.Settings, ""); err != nil {
		return nil, err
	}
	if err := request.CheckTags(in.Tags); err != nil {
		return nil, err
	}
	providers, err := request.ClusterProviders(h, in.CapacityProviders)
	if err != nil {
		return nil, err
	}
	strategy, err := request.Strategy(h, in.DefaultCapacityProviderStrategy, providers)
	if err != nil {
		return nil, err
	}
	var out shape.Cluster
	err = a.store.Update(ctx, func(tx store.Tx) error {
		known, ok := tables.Clusters.Get(tx, tables.ClusterKey(h, name))
		switch {
		case ok && known.Status == ecs.ClusterActive:
			out = describeCluster(tx, known, everything)
			return nil
		case ok && known.Status == ecs.ClusterDeleting:
			return newError(shape.CodeClientException, "The cluster is being deleted.")
		}
		settings, err := request.ClusterSettings(in.Settings, setting(tx, c, shape.SettingNameContainerInsights))
		if err != nil {
			return err
		}
		k := &ecs.Cluster{Home: h, Name: name, Status: ecs.ClusterActive, CreatedAt: tx.Now(),
			Settings: settings, Configuration: in.Configuration, Tags: in.Tags,
			CapacityProviders: providers, DefaultStrategy: strategy}
		tables.Clusters.Put(tx, k)
		out = describeCluster(tx, k, everything)
		return nil
	})
	return &shape.CreateClusterResponse{Cluster: &out}, err
}
