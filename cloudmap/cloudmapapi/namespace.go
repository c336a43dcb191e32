package cloudmapapi

import (
	"context"
	"iter"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// GetNamespace answers one.
func (a *API) GetNamespace(ctx context.Context, c wire.Call, in *shape.GetNamespaceRequest) (*shape.GetNamespaceResponse, error) {
	out := &shape.GetNamespaceResponse{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		n, err := tables.Namespace(tx, home(c), aws.Val(in.Id))
		if err == nil {
			out.Namespace = n.Render(services(tx, n))
		}
		return err
	})
	return out, err
}

// services is how many a namespace has.
func services(tx store.Tx, n *cloudmap.Namespace) int {
	return tables.ServicesByNamespace.Count(tx, tables.Key(n.Home, n.ID))
}

// ListNamespaces answers a page of those that the filters let through.
func (a *API) ListNamespaces(ctx context.Context, c wire.Call, in *shape.ListNamespacesRequest) (*shape.ListNamespacesResponse, error) {
	var tests []func(*cloudmap.Namespace) bool
	for _, f := range in.Filters {
		test, err := namespaceFilter(filter{aws.Val(f.Name), aws.Val(f.Condition), f.Values})
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	out := &shape.ListNamespacesResponse{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		rows, next, err := wire.Page(page(in.NextToken, in.MaxResults, "ListNamespaces", home(c), in.Filters), matching(tx, home(c), tests))
		out.Namespaces, out.NextToken = rows, next
		return err
	})
	return out, err
}

func matching(tx store.Tx, h cloudmap.Home, tests []func(*cloudmap.Namespace) bool) iter.Seq2[string, shape.NamespaceSummary] {
	return func(yield func(string, shape.NamespaceSummary) bool) {
		for k, n := range tables.Namespaces.List(tx, tables.All(h), "") {
			if all(tests, n) && !yield(k, n.Summary(services(tx, n))) {
				return
			}
		}
	}
}

// UpdateHttpNamespace begins to change a description.
func (a *API) UpdateHttpNamespace(ctx context.Context, c wire.Call, in *shape.UpdateHttpNamespaceRequest) (*shape.UpdateHttpNamespaceResponse, error) {
	without := *in
	without.UpdaterRequestId = nil
	id, err := a.updateNamespace(ctx, ask(c, in.UpdaterRequestId, without), update{aws.Val(in.Id), shape.NamespaceTypeHttp,
		cloudmap.NamespaceChange{Description: in.Namespace.Description}})
	return &shape.UpdateHttpNamespaceResponse{OperationId: id}, err
}

// UpdatePrivateDnsNamespace begins to change a description or the time for which there is no name.
func (a *API) UpdatePrivateDnsNamespace(ctx context.Context, c wire.Call, in *shape.UpdatePrivateDnsNamespaceRequest) (*shape.UpdatePrivateDnsNamespaceResponse, error) {
	without := *in
	without.UpdaterRequestId = nil
	change := cloudmap.NamespaceChange{Description: in.Namespace.Description}
	if p := in.Namespace.Properties; p != nil {
		change.SOATTL = p.DnsProperties.SOA.TTL
	}
	id, err := a.updateNamespace(ctx, ask(c, in.UpdaterRequestId, without), update{aws.Val(in.Id), shape.NamespaceTypeDnsPrivate, change})
	return &shape.UpdatePrivateDnsNamespaceResponse{OperationId: id}, err
}

// UpdatePublicDnsNamespace is UpdatePrivateDnsNamespace for public ones.
func (a *API) UpdatePublicDnsNamespace(ctx context.Context, c wire.Call, in *shape.UpdatePublicDnsNamespaceRequest) (*shape.UpdatePublicDnsNamespaceResponse, error) {
	without := *in
	without.UpdaterRequestId = nil
	change := cloudmap.NamespaceChange{Description: in.Namespace.Description}
	if p := in.Namespace.Properties; p != nil {
		change.SOATTL = p.DnsProperties.SOA.TTL
	}
	id, err := a.updateNamespace(ctx, ask(c, in.UpdaterRequestId, without), update{aws.Val(in.Id), shape.NamespaceTypeDnsPublic, change})
	return &shape.UpdatePublicDnsNamespaceResponse{OperationId: id}, err
}

// update is a wish to change a namespace.
type update struct {
	id     string // or ARN
	kind   string // the type it must have
	change cloudmap.NamespaceChange
}

func (a *API) updateNamespace(ctx context.Context, r asked, u update) (*string, error) {
	return a.submit(ctx, r, func(tx store.Tx, o *cloudmap.Operation) error {
		n, err := tables.Namespace(tx, r.home, u.id)
		if err != nil {
			return err
		}
		if n.Type != u.kind {
			return cloudmap.Invalid("Namespace %s is of type %s, not %s", n.ID, n.Type, u.kind)
		}
		o.Type, o.Namespace, o.Wish.Update = shape.OperationTypeUpdateNamespace, n.ID, &u.change
		return nil
	})
}

// DeleteNamespace begins to delete an empty namespace.
func (a *API) DeleteNamespace(ctx context.Context, c wire.Call, in *shape.DeleteNamespaceRequest) (*shape.DeleteNamespaceResponse, error) {
	id, err := a.submit(ctx, ask(c, nil, in), func(tx store.Tx, o *cloudmap.Operation) error {
		n, err := tables.Namespace(tx, home(c), aws.Val(in.Id))
		if err != nil {
			return err
		}
		if services(tx, n) > 0 {
			return cloudmap.InUse("Namespace has associated services: %s", n.ID)
		}
		o.Type, o.Namespace = shape.OperationTypeDeleteNamespace, n.ID
		return nil
	})
	return &shape.DeleteNamespaceResponse{OperationId: id}, err
}
