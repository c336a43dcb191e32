package ecsapi

import (
	"context"
	"iter"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
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
		return nil, request.Invalid("Clusters cannot have more than 100 elements.")
	}
	out := &shape.DescribeClustersResponse{Clusters: []shape.Cluster{}, Failures: []shape.Failure{}}
	err := a.view(ctx, func(tx store.Tx) error {
		for _, ref := range refs {
			name, err := request.ClusterName(h, &ref)
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
	counts := tables.CountCluster(tx, k)
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
		if len(k.CapacityProviders) > 0 {
			out.AttachmentsStatus = aws.Ptr("UPDATE_COMPLETE")
		}
	}
	return out
}

// ListClusters lists the ARNs of ACTIVE clusters, and of those being deleted.
func (a *API) ListClusters(ctx context.Context, c wire.Call, in *shape.ListClustersRequest) (*shape.ListClustersResponse, error) {
	h := home(c)
	out := &shape.ListClustersResponse{}
	err := a.view(ctx, func(tx store.Tx) error {
		var err error
		out.ClusterArns, out.NextToken, err = paged(page(c, slice{in.NextToken, in.MaxResults, 100}), func(after string) iter.Seq2[string, string] {
			return arns(tables.Clusters.List(tx, tables.At(h).Prefix(), after), func(_ string, k *ecs.Cluster) bool {
				return k.Status != ecs.ClusterInactive && !launch.Hidden(k.Name)
			})
		})
		return err
	})
	return out, err
}

// slice is the part of a list that a client wants.
type slice struct {
	token *string
	most  *int32
	limit int // the most a client may want
}

// page asks for a page of a list; filters are all that selects its items.
func page(c wire.Call, s slice, filters ...any) wire.PageRequest {
	return wire.PageRequest{Token: s.token, Max: s.most, Limit: s.limit,
		Filter: wire.FilterHash(c.Operation, c.Account, c.Region, filters)}
}

// paged takes a page of a list that can begin behind a key.
func paged[T any](p wire.PageRequest, list func(after string) iter.Seq2[string, T]) ([]T, *string, error) {
	after, err := p.After()
	if err != nil {
		return nil, nil, err
	}
	return wire.Page(p, list(after))
}

// arns are the names of those records that a list shows.
func arns[T interface{ ARN() string }](records iter.Seq2[string, T], shows func(key string, r T) bool) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for key, r := range records {
			if shows(key, r) && !yield(key, r.ARN()) {
				return
			}
		}
	}
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
