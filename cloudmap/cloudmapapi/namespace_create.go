package cloudmapapi

import (
	"context"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// maxNamespaces is how many namespaces an account has in a region. AWS begins with 50 and raises it when asked.
const maxNamespaces = 500

// CreateHttpNamespace begins to make a namespace without DNS.
func (a *API) CreateHttpNamespace(ctx context.Context, c wire.Call, in *shape.CreateHttpNamespaceRequest) (*shape.CreateHttpNamespaceResponse, error) {
	without := *in
	without.CreatorRequestId = nil
	n := cloudmap.Namespace{Name: aws.Val(in.Name), Type: shape.NamespaceTypeHttp, Description: aws.Val(in.Description)}
	id, err := a.createNamespace(ctx, ask(c, in.CreatorRequestId, without), n, in.Tags)
	return &shape.CreateHttpNamespaceResponse{OperationId: id}, err
}

// CreatePrivateDnsNamespace begins to make a namespace whose names are answered in a VPC.
func (a *API) CreatePrivateDnsNamespace(ctx context.Context, c wire.Call, in *shape.CreatePrivateDnsNamespaceRequest) (*shape.CreatePrivateDnsNamespaceResponse, error) {
	without := *in
	without.CreatorRequestId = nil
	n := cloudmap.Namespace{Name: aws.Val(in.Name), Type: shape.NamespaceTypeDnsPrivate, Description: aws.Val(in.Description), VPC: aws.Val(in.Vpc)}
	if p := in.Properties; p != nil {
		n.SOATTL = aws.Val(p.DnsProperties.SOA.TTL)
	}
	id, err := a.createNamespace(ctx, ask(c, in.CreatorRequestId, without), n, in.Tags)
	return &shape.CreatePrivateDnsNamespaceResponse{OperationId: id}, err
}

// CreatePublicDnsNamespace begins to make a namespace whose names are answered everywhere.
func (a *API) CreatePublicDnsNamespace(ctx context.Context, c wire.Call, in *shape.CreatePublicDnsNamespaceRequest) (*shape.CreatePublicDnsNamespaceResponse, error) {
	without := *in
	without.CreatorRequestId = nil
	n := cloudmap.Namespace{Name: aws.Val(in.Name), Type: shape.NamespaceTypeDnsPublic, Description: aws.Val(in.Description)}
	if p := in.Properties; p != nil {
		n.SOATTL = aws.Val(p.DnsProperties.SOA.TTL)
	}
	id, err := a.createNamespace(ctx, ask(c, in.CreatorRequestId, without), n, in.Tags)
	return &shape.CreatePublicDnsNamespaceResponse{OperationId: id}, err
}

func (a *API) createNamespace(ctx context.Context, r asked, n cloudmap.Namespace, tags []shape.Tag) (*string, error) {
	if err := cloudmap.CheckNamespaceName(n.Type, n.Name); err != nil {
		return nil, err
	}
	pairs, err := mergeTags(nil, tags)
	if err != nil {
		return nil, err
	}
	return a.submit(ctx, r, func(tx store.Tx, o *cloudmap.Operation) error {
		count := 0
		for range tables.Namespaces.List(tx, tables.All(r.home), "") {
			count++
		}
		if count >= maxNamespaces {
			return cloudmap.Limit("The account has %d namespaces in this region, as many as it can have", count)
		}
		made := n
		made.Home, made.ID, made.CreatorRequestID, made.CreatedAt = r.home, cloudmap.NamespaceID(tx.NewID()), r.token, tx.Now()
		if made.DNS() {
			made.Zone = cloudmap.ZoneID(tx.NewID())
			if made.SOATTL == 0 {
				made.SOATTL = cloudmap.DefaultSOATTL
			}
		}
		if err := tables.TakeNames(tx, &made); err != nil {
			return err
		}
		o.Type, o.Namespace = shape.OperationTypeCreateNamespace, made.ID
		o.Wish.Create, o.Wish.Tags = &made, pairs
		return nil
	})
}
