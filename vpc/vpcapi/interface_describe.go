package vpcapi

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// DescribeNetworkInterfaces lists interfaces, also those of tasks.
func (a *API) DescribeNetworkInterfaces(ctx context.Context, c wire.Call, in *shape.DescribeNetworkInterfacesRequest) (*shape.DescribeNetworkInterfacesResult, error) {
	out := &shape.DescribeNetworkInterfacesResult{NetworkInterfaces: []shape.NetworkInterface{}}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[shape.NetworkInterface]{
			Kind: vpc.KindInterface, IDs: in.NetworkInterfaceIds, Fields: interfaceFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, a.interfaces(tx, h, in))
		for _, i := range page {
			out.NetworkInterfaces = append(out.NetworkInterfaces, i.Item)
		}
		out.NextToken = next
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// interfaces yields descriptions of interfaces in order of their ids: those that are asked for by id, else those of a subnet, VPC or group that
// is a filter's only value, else all.
func (a *API) interfaces(tx store.Tx, h vpc.Home, in *shape.DescribeNetworkInterfacesRequest) iter.Seq[listed[shape.NetworkInterface]] {
	records := tables.Interfaces.List(tx, tables.All(h), "")
	for _, f := range in.Filters {
		index := map[string]*store.Index[vpc.Interface]{"subnet-id": tables.InterfacesBySubnet, "vpc-id": tables.InterfacesByVPC, "group-id": tables.InterfacesByGroup}[aws.Val(f.Name)]
		if index != nil && len(f.Values) == 1 && vpc.Literal(f.Values[0]) {
			records = index.List(tx, f.Values[0], "")
		}
	}
	if len(in.NetworkInterfaceIds) > 0 {
		records = func(yield func(string, *vpc.Interface) bool) {
			for _, id := range slices.Compact(slices.Sorted(slices.Values(in.NetworkInterfaceIds))) {
				if vpc.KindInterface.Check(id) != nil {
					continue
				}
				if i, ok := tables.Interfaces.Peek(tx, tables.Key(h, id)); ok && !yield(id, i) {
					return
				}
			}
		}
	}
	return func(yield func(listed[shape.NetworkInterface]) bool) {
		show := func(i *vpc.Interface) bool {
			return yield(listed[shape.NetworkInterface]{ID: i.ID, Item: a.renderInterface(tx, i), Tags: i.AllTags(tables.TagsOf(tx, h, i.ID))})
		}
		shown := a.primaries(tx, h)
		for _, i := range records {
			for len(shown) > 0 && shown[0].ID < i.ID {
				if !show(shown[0]) {
					return
				}
				shown = shown[1:]
			}
			if i.Home == h && !show(i) {
				return
			}
		}
		for _, i := range shown {
			if !show(i) {
				return
			}
		}
	}
}

// primaries are the primary interfaces of nodes in order of their ids.
func (a *API) primaries(tx store.Tx, h vpc.Home) (all []*vpc.Interface) {
	for _, n := range a.nodes(tx, h) {
		all = append(all, a.primary(tx, &n))
	}
	slices.SortFunc(all, func(x, y *vpc.Interface) int { return strings.Compare(x.ID, y.ID) })
	return all
}

// renderInterface describes an interface with what stands in other records.
func (a *API) renderInterface(tx store.Tx, i *vpc.Interface) shape.NetworkInterface {
	s := vpc.Shown{Groups: renderGroups(tx, i.Home, i.Groups), Tags: renderTags(i.AllTags(tables.TagsOf(tx, i.Home, i.ID)))}
	if i.VPC != "" { // a node's in a zone without a default subnet
		if v, ok := tables.VPCs.Peek(tx, tables.Key(i.Home, i.VPC)); ok {
			s.HostNames = v.DNSHostnames
		}
	}
	s.ZoneID = a.zoneID(i.Region, i.Zone)
	return i.Render(s)
}

// renderGroups are groups with their names.
func renderGroups(tx store.Tx, h vpc.Home, ids []string) []shape.GroupIdentifier {
	out := []shape.GroupIdentifier{}
	for _, id := range ids {
		g := shape.GroupIdentifier{GroupId: aws.Ptr(id)}
		if r, ok := tables.SecurityGroups.Peek(tx, tables.Key(h, id)); ok {
			g.GroupName = &r.Name
		}
		out = append(out, g)
	}
	return out
}
