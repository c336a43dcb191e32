package vpcapi

import (
	"context"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// offering is a type of nodes in a place.
type offering struct{ kind, location string }

var offeringFields = vpc.Fields[offering]{
	"instance-type": func(o offering) []string { return one(o.kind) },
	"location":      func(o offering) []string { return one(o.location) },
}

// DescribeInstanceTypeOfferings lists the types of nodes by the places where such nodes are.
func (a *API) DescribeInstanceTypeOfferings(ctx context.Context, c wire.Call, in *shape.DescribeInstanceTypeOfferingsRequest) (*shape.DescribeInstanceTypeOfferingsResult, error) {
	wanted := filters(in.Filters)
	if err := offeringFields.Check(wanted); err != nil {
		return nil, err
	}
	by := aws.Val(in.LocationType)
	if by == "" {
		by = shape.LocationTypeRegion
	}
	place, ok := a.places(c.Region)[by]
	if !ok {
		return nil, badOf("locationType", by)
	}
	out := &shape.DescribeInstanceTypeOfferingsResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		var all []offering
		for _, n := range a.nodes(tx, h) {
			if o := (offering{n.TypeName(), place(&n)}); o.location != "" && offeringFields.Match(wanted, o) {
				all = append(all, o)
			}
		}
		key := func(o offering) string { return o.kind + " " + o.location }
		slices.SortFunc(all, func(x, y offering) int { return strings.Compare(key(x), key(y)) })
		page, next, err := pageOf(paging{Call: c, IDs: []string{by}, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken}, slices.Compact(all), key)
		out.NextToken = next
		out.InstanceTypeOfferings = render(page, func(o offering) shape.InstanceTypeOffering {
			return shape.InstanceTypeOffering{InstanceType: aws.Ptr(o.kind), Location: aws.Ptr(o.location), LocationType: aws.Ptr(by)}
		})
		return err
	})
	return out, err
}

// places say where a node is, by the type of location; there are no Outposts.
func (a *API) places(region string) map[string]func(*vpc.Node) string {
	return map[string]func(*vpc.Node) string{
		shape.LocationTypeRegion:           func(*vpc.Node) string { return region },
		shape.LocationTypeAvailabilityZone: func(n *vpc.Node) string { return n.Zone },
		shape.LocationTypeAvailabilityZoneId: func(n *vpc.Node) string {
			return a.zoneID(region, n.Zone)
		},
		shape.LocationTypeOutpost: func(*vpc.Node) string { return "" },
	}
}
