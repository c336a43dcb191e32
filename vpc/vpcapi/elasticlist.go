package vpcapi

import (
	"context"
	"slices"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// elasticView is an Elastic address and the interface that has it; nil for none.
type elasticView struct {
	*vpc.Elastic
	at *vpc.Interface
}

// of is a text about the interface.
func (v elasticView) of(f func(*vpc.Interface) string) []string {
	if v.at == nil {
		return nil
	}
	return one(f(v.at))
}

func (v elasticView) private() string {
	if !v.Private.IsValid() {
		return ""
	}
	return v.Private.String()
}

var elasticFields = vpc.Fields[elasticView]{
	"allocation-id":        func(v elasticView) []string { return one(v.ID) },
	"association-id":       func(v elasticView) []string { return one(v.Association) },
	"domain":               func(elasticView) []string { return one(shape.DomainTypeVpc) },
	"instance-id":          func(v elasticView) []string { return v.of(func(i *vpc.Interface) string { return i.Instance }) },
	"network-border-group": func(v elasticView) []string { return one(v.Region) },
	"network-interface-id": func(v elasticView) []string { return one(v.Interface) },
	"network-interface-owner-id": func(v elasticView) []string {
		return v.of(func(i *vpc.Interface) string { return i.Account })
	},
	"private-ip-address": func(v elasticView) []string { return one(v.private()) },
	"public-ip":          func(v elasticView) []string { return one(v.Addr.String()) },
}

// DescribeAddresses lists Elastic addresses.
func (a *API) DescribeAddresses(ctx context.Context, c wire.Call, in *shape.DescribeAddressesRequest) (*shape.DescribeAddressesResult, error) {
	out := &shape.DescribeAddressesResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		for _, p := range in.PublicIps {
			if _, err := elastic(tx, h, nil, &p); err != nil {
				return err
			}
		}
		named := func(e *vpc.Elastic) bool {
			return len(in.PublicIps) == 0 || slices.Contains(in.PublicIps, e.Addr.String())
		}
		page, _, err := list(c, listing[elasticView]{Kind: vpc.KindElastic, IDs: in.AllocationIds, Fields: elasticFields, Filters: in.Filters},
			records(tx, h, tables.Elastics, func(e *vpc.Elastic) (listed[elasticView], bool) { return viewElastic(tx, e), named(e) }))
		if err != nil {
			return err
		}
		out.Addresses = render(page, renderElastic)
		return nil
	})
	return out, err
}

func viewElastic(tx store.Tx, e *vpc.Elastic) listed[elasticView] {
	view := elasticView{Elastic: e}
	if e.Interface != "" {
		view.at, _ = tables.Interfaces.Peek(tx, tables.Key(e.Home, e.Interface))
	}
	return listed[elasticView]{ID: e.ID, Item: view, Tags: tables.TagsOf(tx, e.Home, e.ID)}
}

func renderElastic(l listed[elasticView]) shape.Address {
	v := l.Item
	out := shape.Address{
		AllocationId: aws.Ptr(v.ID), PublicIp: aws.Ptr(v.Addr.String()), Domain: aws.Ptr(shape.DomainTypeVpc), NetworkBorderGroup: aws.Ptr(v.Region),
		PublicIpv4Pool: aws.Ptr(elasticPool), Tags: renderTags(l.Tags),
	}
	if v.Association == "" {
		return out
	}
	out.AssociationId, out.NetworkInterfaceId, out.PrivateIpAddress = aws.Ptr(v.Association), aws.Ptr(v.Interface), aws.Ptr(v.private())
	if v.at != nil {
		out.NetworkInterfaceOwnerId = aws.Ptr(v.at.Account)
		if v.at.Instance != "" {
			out.InstanceId = aws.Ptr(v.at.Instance)
		}
	}
	return out
}

// DescribeAddressesAttribute lists attributes of Elastic addresses: their reverse names, of which there are none.
func (a *API) DescribeAddressesAttribute(ctx context.Context, c wire.Call, in *shape.DescribeAddressesAttributeRequest) (*shape.DescribeAddressesAttributeResult, error) {
	if at := aws.Val(in.Attribute); at != "" && at != shape.AddressAttributeNameDomainName {
		return nil, badOf("attribute", at)
	}
	out := &shape.DescribeAddressesAttributeResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[*vpc.Elastic]{Kind: vpc.KindElastic, IDs: in.AllocationIds, Max: in.MaxResults, Token: in.NextToken},
			tagged(tx, h, tables.Elastics, func(e *vpc.Elastic) string { return e.ID }))
		out.NextToken = next
		out.Addresses = render(page, func(l listed[*vpc.Elastic]) shape.AddressAttribute {
			return shape.AddressAttribute{AllocationId: aws.Ptr(l.ID), PublicIp: aws.Ptr(l.Item.Addr.String())}
		})
		return err
	})
	return out, err
}
