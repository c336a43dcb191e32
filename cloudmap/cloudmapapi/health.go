package cloudmapapi

import (
	"context"
	"iter"
	"slices"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// GetInstancesHealthStatus answers the health of a page of a service's instances, or of those that are named.
func (a *API) GetInstancesHealthStatus(ctx context.Context, c wire.Call, in *shape.GetInstancesHealthStatusRequest) (*shape.GetInstancesHealthStatusResponse, error) {
	out := &shape.GetInstancesHealthStatusResponse{Status: map[string]string{}}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		s, err := tables.Service(tx, home(c), aws.Val(in.ServiceId))
		if err != nil {
			return err
		}
		p := page(in.NextToken, in.MaxResults, "GetInstancesHealthStatus", s.ID, in.Instances)
		after, err := p.After()
		if err != nil {
			return err
		}
		list := tables.Instances.List(tx, tables.InstancesOf(s.Home, s.ID), after)
		if in.Instances != nil {
			if list, err = named(tx, s, in.Instances); err != nil {
				return err
			}
		}
		page, next, err := wire.Page(p, list)
		for _, i := range page {
			out.Status[i.ID] = tables.Health(tx, s, i)
		}
		out.NextToken = next
		return err
	})
	return out, err
}

// named are instances in the order of their keys; one that is not there is an error.
func named(tx store.Tx, s *cloudmap.Service, ids []string) (iter.Seq2[string, *cloudmap.Instance], error) {
	byKey := map[string]*cloudmap.Instance{}
	var keys []string
	for _, id := range ids {
		i, err := tables.Instance(tx, s, id)
		if err != nil {
			return nil, err
		}
		k := tables.InstanceKey(s.Home, s.ID, id)
		if byKey[k] == nil {
			keys = append(keys, k)
		}
		byKey[k] = i
	}
	slices.Sort(keys)
	return func(yield func(string, *cloudmap.Instance) bool) {
		for _, k := range keys {
			if !yield(k, byKey[k]) {
				return
			}
		}
	}, nil
}

// UpdateInstanceCustomHealthStatus takes what a client knows of an instance's health.
func (a *API) UpdateInstanceCustomHealthStatus(ctx context.Context, c wire.Call, in *shape.UpdateInstanceCustomHealthStatusRequest) (*aws.Unit, error) {
	return nil, a.store.Update(ctx, func(tx store.Tx) error {
		s, i, err := instance(tx, c, in.ServiceId, in.InstanceId)
		if err != nil {
			return err
		}
		if s.Custom == nil {
			return cloudmap.Errorf(shape.CodeCustomHealthNotFound, "Service %s has no HealthCheckCustomConfig", s.ID)
		}
		was, _ := tables.Healths.Get(tx, tables.InstanceKey(i.Home, i.Service, i.ID))
		if h := s.Tell(i, was, aws.Val(in.Status), tx.Now()); h != was {
			tables.Healths.Put(tx, h)
		}
		return nil
	})
}
