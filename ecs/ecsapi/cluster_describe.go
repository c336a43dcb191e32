package ecsapi

import (
	"context"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// everything are the includes of an answer that shows all AWS's does after a write.
var everything = []string{shape.ClusterFieldSettings, shape.ClusterFieldConfigurations, shape.ClusterFieldTags}

// DescribeClusters answers clusters, also INACTIVE ones; without names, "default".
func (a *API) DescribeClusters(ctx context.Context, c wire.Call, in *shape.DescribeClustersRequest) (*shape.DescribeClustersResponse, error) {
	h := home(c)
	refs := in.Clusters
	if len(refs) == 0 {
		refs = []string{"default"}
	}
	if len(refs) > 100 {
		return nil, invalid("Clusters cannot have more than 100 elements.")
	}
	out := &shape.DescribeClustersResponse{Clusters: []shape.Cluster{}, Failures: []shape.Failure{}}
	err := a.view(ctx, func(tx store.Tx) error {
		for _, ref := range refs {
			name, err := clusterName(h, &ref)
			if err != nil {
				return err
			}
			k, ok := tables.Clusters.Peek(tx, tables.ClusterKey(h, name))
			if !ok {
				out.Failures = append(out.Failures, missing(h.ClusterARN(name)))
				continue
			}
			out.Clusters = append(out.Clusters, describeCluster(tx, k, in.Include))
		}
		return nil
	})
	return out, err
}

// describeCluster renders a cluster with includes.
func describeCluster(tx store.Tx, k *ecs.Cluster, include []string) shape.Cluster {
	counts := countCluster(tx, k)
	out := ecs.RenderCluster(k, counts)
	if slices.Contains(include, shape.ClusterFieldSettings) {
		out.Settings = slices.Clone(k.Settings)
	}
	if slices.Contains(include, shape.ClusterFieldConfigurations) {
		out.Configuration = k.Configuration
	}
	if slices.Contains(include, shape.ClusterFieldTags) {
		out.Tags = orEmpty(k.Tags)
	}
	if slices.Contains(include, shape.ClusterFieldStatistics) {
		out.Statistics = ecs.RenderStatistics(counts)
	}
	if slices.Contains(include, shape.ClusterFieldAttachments) {
		out.Attachments = []shape.Attachment{}
	}
	return out
}

// countCluster counts what lives in a cluster.
func countCluster(tx store.Tx, k *ecs.Cluster) ecs.ClusterCounts {
	var n ecs.ClusterCounts
	for _, i := range tables.InstanceStates.List(tx, tables.At(k.Home).Prefix(k.Name), "") {
		if i.Status != ecs.InstanceInactive {
			n.Instances++
		}
	}
	for _, s := range tables.Services.List(tx, tables.At(k.Home).Prefix(k.Name), "") {
		switch serviceRecords(tx, s).ShownStatus() {
		case ecs.ServiceActive:
			n.Active++
		case ecs.ServiceDraining:
			n.Draining++
		}
	}
	key := tables.ClusterKey(k.Home, k.Name)
	for task := range tables.DesiredByCluster.List(tx, tables.Is(key, ecs.TaskRunning), "") {
		if v, ok := tables.PeekTask(tx, task); ok {
			countTask(&n, v)
		}
	}
	return n
}

func countTask(n *ecs.ClusterCounts, v ecs.TaskView) {
	external := v.LaunchType == shape.LaunchTypeExternal
	switch {
	case v.Running() && external:
		n.RunningExternal++
	case v.Running():
		n.RunningEC2++
	case v.Pending() && external:
		n.PendingExternal++
	case v.Pending():
		n.PendingEC2++
	}
}

// ListClusters lists the ARNs of ACTIVE clusters, and of those being deleted.
func (a *API) ListClusters(ctx context.Context, c wire.Call, in *shape.ListClustersRequest) (*shape.ListClustersResponse, error) {
	h := home(c)
	out := &shape.ListClustersResponse{}
	err := a.view(ctx, func(tx store.Tx) error {
		listed := func(yield func(string, string) bool) {
			for key, k := range tables.Clusters.List(tx, tables.At(h).Prefix(), "") {
				if k.Status != ecs.ClusterInactive && !yield(key, k.ARN()) {
					return
				}
			}
		}
		var err error
		out.ClusterArns, out.NextToken, err = wire.Page(page(c, in.NextToken, in.MaxResults, 100), listed)
		return err
	})
	return out, err
}

// page asks for a page of a list; filters are all that selects its items.
func page(c wire.Call, token *string, most *int32, limit int, filters ...any) wire.PageRequest {
	return wire.PageRequest{Token: token, Max: most, Limit: limit,
		Filter: wire.FilterHash(c.Operation, c.Account, c.Region, filters)}
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// dereferenced answers the values of optional strings, for filters.
func dereferenced(ps ...*string) []string {
	all := make([]string, len(ps))
	for i, p := range ps {
		all[i] = aws.Val(p)
	}
	return all
}
