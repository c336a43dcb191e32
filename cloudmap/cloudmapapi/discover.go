package cloudmapapi

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// defaultFound is how many instances are found unless told otherwise.
const defaultFound = 100

// answer is an instance that may be found.
type answer struct {
	*cloudmap.Instance
	health string
}

// find answers the service of two names, of what this server has.
func (a *API) find(ctx context.Context, c wire.Call, n name, with func(store.Tx, *cloudmap.Namespace, *cloudmap.Service)) error {
	if err := owned(c, n.owner, cloudmap.NoNamespace(aws.Val(n.namespace))); err != nil {
		return err
	}
	return a.store.View(ctx, store.Any, func(tx store.Tx) error {
		namespace, err := tables.FindNamespace(tx, home(c), aws.Val(n.namespace))
		if err != nil {
			return err
		}
		s, err := tables.FindService(tx, namespace, aws.Val(n.service))
		if err == nil {
			with(tx, namespace, s)
		}
		return err
	})
}

type name struct{ namespace, service, owner *string }

// DiscoverInstances answers instances of a service that are as asked for, in random order.
func (a *API) DiscoverInstances(ctx context.Context, c wire.Call, in *shape.DiscoverInstancesRequest) (*shape.DiscoverInstancesResponse, error) {
	out := &shape.DiscoverInstancesResponse{Instances: []shape.HttpInstanceSummary{}}
	err := a.find(ctx, c, name{in.NamespaceName, in.ServiceName, in.OwnerAccount}, func(tx store.Tx, n *cloudmap.Namespace, s *cloudmap.Service) {
		found := wanted(matched(tx, s, in.QueryParameters), s, in)
		rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] }) //nolint:gosec // nothing is kept secret by an order
		most := defaultFound
		if in.MaxResults != nil {
			most = int(*in.MaxResults)
		}
		for _, f := range found[:min(most, len(found))] {
			out.Instances = append(out.Instances, shape.HttpInstanceSummary{InstanceId: &f.ID, NamespaceName: &n.HTTPName, ServiceName: &s.Name,
				HealthStatus: &f.health, Attributes: f.Attributes})
		}
		out.InstancesRevision = aws.Ptr(tables.Revision(tx, s))
	})
	return out, err
}

// matched are the instances that have all the attributes.
func matched(tx store.Tx, s *cloudmap.Service, query map[string]string) []*answer {
	var out []*answer
	for _, i := range tables.InstancesIn(tx, s) {
		if has(i, query) {
			out = append(out, &answer{i, tables.Health(tx, s, i)})
		}
	}
	return out
}

func has(i *cloudmap.Instance, attributes map[string]string) bool {
	for k, v := range attributes {
		if have, ok := i.Attributes[k]; !ok || have != v {
			return false
		}
	}
	return true
}

// wanted are those of the health that is asked for, and of them those with the optional attributes, if there are any.
func wanted(all []*answer, s *cloudmap.Service, in *shape.DiscoverInstancesRequest) []*answer {
	if s.Check != nil || s.Custom != nil {
		all = ofHealth(all, aws.Val(in.HealthStatus))
	}
	if len(in.OptionalParameters) > 0 {
		if best := only(all, func(f *answer) bool { return has(f.Instance, in.OptionalParameters) }); len(best) > 0 {
			return best
		}
	}
	return all
}

func ofHealth(all []*answer, filter string) []*answer {
	healthy := func(f *answer) bool { return f.health == shape.HealthStatusHealthy }
	switch filter {
	case shape.HealthStatusFilterAll:
		return all
	case shape.HealthStatusFilterUnhealthy:
		return only(all, func(f *answer) bool { return !healthy(f) })
	case shape.HealthStatusFilterHealthy:
		return only(all, healthy)
	}
	if some := only(all, healthy); len(some) > 0 {
		return some
	}
	return all
}

func only(all []*answer, keep func(*answer) bool) []*answer {
	return slices.DeleteFunc(slices.Clone(all), func(f *answer) bool { return !keep(f) })
}

// DiscoverInstancesRevision answers whether instances came or went since an earlier answer: another number.
func (a *API) DiscoverInstancesRevision(ctx context.Context, c wire.Call, in *shape.DiscoverInstancesRevisionRequest) (*shape.DiscoverInstancesRevisionResponse, error) {
	out := &shape.DiscoverInstancesRevisionResponse{}
	err := a.find(ctx, c, name{in.NamespaceName, in.ServiceName, in.OwnerAccount}, func(tx store.Tx, _ *cloudmap.Namespace, s *cloudmap.Service) {
		out.InstancesRevision = aws.Ptr(tables.Revision(tx, s))
	})
	return out, err
}
