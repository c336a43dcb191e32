package ecsapi

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// cluster finds a cluster to work in, whatever its status, without guarding it.
func cluster(tx store.Tx, h ecs.Home, ref *string) (*ecs.Cluster, error) {
	name, err := request.ClusterName(h, ref)
	if err != nil {
		return nil, err
	}
	c, ok := tables.Clusters.Peek(tx, tables.ClusterKey(h, name))
	if !ok {
		return nil, errClusterNotFound
	}
	return c, nil
}

// activeCluster finds a cluster to create something in, and guards it, so that the
// cluster is not deleted at the same time.
func activeCluster(tx store.Tx, h ecs.Home, ref *string) (*ecs.Cluster, error) {
	name, err := request.ClusterName(h, ref)
	if err != nil {
		return nil, err
	}
	c, ok := tables.Clusters.Get(tx, tables.ClusterKey(h, name))
	switch {
	case !ok:
		return nil, errClusterNotFound
	case c.Status == ecs.ClusterInactive:
		return nil, errClusterInactive
	case c.Status != ecs.ClusterActive:
		return nil, newError("ClientException", "The cluster is being deleted.")
	}
	return c, nil
}

// taskDefinition finds a task definition; a bare family means its newest ACTIVE
// revision.
func taskDefinition(tx store.Tx, h ecs.Home, r request.Revision) (*ecs.TaskDefinition, bool) {
	if r.Number == 0 {
		f, ok := tables.Families.Peek(tx, tables.At(h).Key(r.Family))
		if !ok || f.Active == 0 {
			return nil, false
		}
		r.Number = f.Active
	}
	return tables.TaskDefinitions.Peek(tx, tables.RevisionKey(h, r.Family, r.Number))
}
