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

// interfaces are descriptions of interfaces: those of a subnet, VPC or group that is a filter's only value, else all; and of the primary ones of
// nodes, which are no records.
func (a *API) interfaces(tx store.Tx, h vpc.Home, in *shape.DescribeNetworkInterfacesRequest) source[shape.NetworkInterface] {
	view := func(i *vpc.Interface) listed[shape.NetworkInterface] {
		return listed[shape.NetworkInterface]{ID: i.ID, Item: a.renderInterface(tx, i), Tags: i.AllTags(tables.TagsOf(tx, h, i.ID))}
	}
	return source[shape.NetworkInterface]{
		after: func(after string) iter.Seq[listed[shape.NetworkInterface]] {
			shown := slices.DeleteFunc(a.primaries(tx, h), func(i *vpc.Interface) bool { return i.ID <= after })
			return func(yield func(listed[shape.NetworkInterface]) bool) {
				for _, i := range interfaceRecords(tx, h, in.Filters, after) {
					for ; len(shown) > 0 && shown[0].ID < i.ID; shown = shown[1:] {
						if !yield(view(shown[0])) {
							return
						}
					}
					if i.Home == h && !yield(view(i)) {
						return
					}
				}
				for _, i := range shown {
					if !yield(view(i)) {
						return
					}
				}
			}
		},
		one: func(id string) (listed[shape.NetworkInterface], bool) {
			if i, ok := tables.Interfaces.Peek(tx, tables.Key(h, id)); ok {
				return view(i), true
			}
			shown := a.primaries(tx, h)
			if i := slices.IndexFunc(shown, func(i *vpc.Interface) bool { return i.ID == id }); i >= 0 {
				return view(shown[i]), true
			}
			return listed[shape.NetworkInterface]{}, false
		},
	}
}

// interfaceRecords are the records that filters may fit, behind an id.
func interfaceRecords(tx store.Tx, h vpc.Home, wanted []shape.Filter, after string) iter.Seq2[string, *vpc.Interface] {
	if after != "" {
		after = tables.Key(h, after)
	}
	for name, index := range map[string]*store.Index[vpc.Interface]{"subnet-id": tables.InterfacesBySubnet, "vpc-id": tables.InterfacesByVPC, "group-id": tables.InterfacesByGroup} {
		if id, ok := only(wanted, name); ok {
			return index.List(tx, id, after)
		}
	}
	return tables.Interfaces.List(tx, tables.All(h), after)
}

// only is a filter's value if it is one id.
func only(wanted []shape.Filter, name string) (id string, ok bool) {
	for _, f := range wanted {
		if aws.Val(f.Name) == name && len(f.Values) == 1 && vpc.Literal(f.Values[0]) {
			return f.Values[0], true
		}
	}
	return "", false
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
