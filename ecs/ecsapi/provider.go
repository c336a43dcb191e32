package ecsapi

import (
	"context"
	"iter"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DescribeCapacityProviders answers the capacity providers of the account, or those that a cluster has.
func (a *API) DescribeCapacityProviders(ctx context.Context, c wire.Call, in *shape.DescribeCapacityProvidersRequest) (*shape.DescribeCapacityProvidersResponse, error) {
	h := home(c)
	if len(in.CapacityProviders) > 100 {
		return nil, request.Invalid("CapacityProviders cannot have more than 100 elements.")
	}
	names, failures := request.Providers, []shape.Failure{}
	if len(in.CapacityProviders) > 0 {
		names = nil
	}
	for _, ref := range in.CapacityProviders {
		name, err := request.Provider(h, ref)
		switch {
		case err != nil:
			return nil, err
		case !slices.Contains(request.Providers, name):
			failures = append(failures, missing(h.ProviderARN(name)))
		case !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	out := &shape.DescribeCapacityProvidersResponse{Failures: failures}
	err := a.view(ctx, func(tx store.Tx) error {
		if aws.Val(in.Cluster) != "" {
			k, err := cluster(tx, h, in.Cluster)
			if err != nil {
				return err
			}
			names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !slices.Contains(k.CapacityProviders, n) })
		}
		var err error
		p := page(c, slice{in.NextToken, in.MaxResults, 10}, in.CapacityProviders, dereferenced(in.Cluster))
		out.CapacityProviders, out.NextToken, err = wire.Page(p, providers(h, names))
		return err
	})
	return out, err
}

func providers(h ecs.Home, names []string) iter.Seq2[string, shape.CapacityProvider] {
	return func(yield func(string, shape.CapacityProvider) bool) {
		for _, n := range slices.Sorted(slices.Values(names)) {
			if !yield(n, ecs.RenderProvider(h, n)) {
				return
			}
		}
	}
}

// PutClusterCapacityProviders says which capacity providers a cluster has and which strategy holds where nobody says one.
// One that a service or a task uses cannot go.
func (a *API) PutClusterCapacityProviders(ctx context.Context, c wire.Call, in *shape.PutClusterCapacityProvidersRequest) (*shape.PutClusterCapacityProvidersResponse, error) {
	h := home(c)
	names, err := request.ClusterProviders(h, in.CapacityProviders)
	if err != nil {
		return nil, err
	}
	strategy, err := request.Strategy(h, in.DefaultCapacityProviderStrategy, names)
	if err != nil {
		return nil, err
	}
	var out shape.Cluster
	err = a.store.Update(ctx, func(tx store.Tx) error {
		k, err := activeCluster(tx, h, in.Cluster)
		if err != nil {
			return err
		}
		for _, n := range k.CapacityProviders {
			if !slices.Contains(names, n) && tables.ProviderInUse(tx, k, n) {
				return errProviderInUse
			}
		}
		next := *k
		next.CapacityProviders, next.DefaultStrategy = names, strategy
		tables.Clusters.Put(tx, &next)
		out = describeCluster(tx, &next, append([]string{shape.ClusterFieldAttachments}, everything...))
		return nil
	})
	return &shape.PutClusterCapacityProvidersResponse{Cluster: &out}, err
}

// capacity is where tasks are to run.
type capacity struct {
	launchType string
	strategy   []shape.CapacityProviderStrategyItem // of FARGATE; then launchType says so, and is not answered of a service
}

// shown is the launch type that a service answers: none when a strategy decides.
func (c capacity) shown() string {
	if len(c.strategy) > 0 {
		return ""
	}
	return c.launchType
}

// capacityOf judges where a request wants its tasks: by launch type, by a strategy, or by the cluster's when it says nothing.
func capacityOf(k *ecs.Cluster, launchType *string, strategy []shape.CapacityProviderStrategyItem) (capacity, error) {
	if err := request.OneCapacity(launchType, strategy); err != nil {
		return capacity{}, err
	}
	if len(strategy) == 0 && aws.Val(launchType) == "" {
		strategy = k.DefaultStrategy
	}
	strategy, err := request.Strategy(k.Home, strategy, k.CapacityProviders)
	if err != nil || len(strategy) == 0 {
		return capacity{launchType: request.LaunchTypeOf(launchType)}, err
	}
	return capacity{launchType: shape.LaunchTypeFargate, strategy: strategy}, nil
}
