package vpcapi

import (
	"context"
	"net/netip"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func (a *API) bindNATGateways(m *wire.Mux) {
	bind(m, shape.OpCreateNatGateway, a.CreateNatGateway)
	bind(m, shape.OpDeleteNatGateway, a.DeleteNatGateway)
	bind(m, shape.OpDescribeNatGateways, a.DescribeNatGateways)
}

// natWish is what CreateNatGateway asks for, read.
type natWish struct {
	subnet, connectivity, allocation, token string
	private                                 []netip.Addr
	tags                                    []vpc.Pair
}

// CreateNatGateway makes a NAT gateway, with its interface. It works when the answer comes, which yet says pending, as clients expect.
func (a *API) CreateNatGateway(ctx context.Context, c wire.Call, in *shape.CreateNatGatewayRequest) (*shape.CreateNatGatewayResult, error) {
	w, err := readNAT(in)
	if err != nil {
		return nil, err
	}
	out := &shape.CreateNatGatewayResult{ClientToken: in.ClientToken}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		n, err := once(tx, c, request{token: in.ClientToken, parameters: in}, func(id string) (*vpc.NATGateway, error) { return liveNAT(tx, h, id) },
			func() (*vpc.NATGateway, string, error) { return makeNAT(tx, h, w) })
		if err != nil {
			return err
		}
		answer := renderNAT(listed[natView]{Item: natView{n, false}, Tags: tables.TagsOf(tx, h, n.ID)})
		answer.State = aws.Ptr(shape.NatGatewayStatePending)
		out.NatGateway = &answer
		return nil
	})
	return out, err
}

// liveNAT answers a NAT gateway that was not deleted.
func liveNAT(tx store.Tx, h vpc.Home, id string) (*vpc.NATGateway, error) {
	n, err := tables.NATGateway(tx, h, id)
	if err == nil && !n.DeletedAt.IsZero() {
		err = vpc.KindNATGateway.NotFound(id)
	}
	return n, err
}

func readNAT(in *shape.CreateNatGatewayRequest) (w natWish, err error) {
	w = natWish{subnet: aws.Val(in.SubnetId), connectivity: aws.Val(in.ConnectivityType), allocation: aws.Val(in.AllocationId), token: aws.Val(in.ClientToken)}
	if w.connectivity == "" {
		w.connectivity = shape.ConnectivityTypePublic
	}
	switch {
	case aws.Val(in.AvailabilityMode) == shape.AvailabilityModeRegional:
		return w, wire.Errorf(RefusalCode, "NAT gateways are in one subnet in this region. (AvailabilityMode)")
	case w.subnet == "":
		return w, missing("subnetId")
	case w.connectivity != shape.ConnectivityTypePublic && w.connectivity != shape.ConnectivityTypePrivate:
		return w, badOf("connectivityType", w.connectivity)
	case w.connectivity == shape.ConnectivityTypePublic && w.allocation == "":
		return w, missing("allocationId")
	case w.connectivity == shape.ConnectivityTypePrivate && w.allocation != "":
		return w, wire.Errorf("InvalidParameterCombination", "AllocationId cannot be specified for a NAT gateway with connectivity type private.")
	}
	if text := aws.Val(in.PrivateIpAddress); text != "" {
		p, err := netip.ParseAddr(text)
		if err != nil || !p.Is4() {
			return w, badOf("privateIpAddress", text)
		}
		w.private = []netip.Addr{p}
	}
	w.tags, err = tagSpec(in.TagSpecifications, vpc.KindNATGateway)
	return w, err
}

func makeNAT(tx store.Tx, h vpc.Home, w natWish) (*vpc.NATGateway, string, error) {
	s, err := tables.Subnet(tx, h, w.subnet)
	if err != nil {
		return nil, "", err
	}
	if crowded(tx, s) {
		return nil, "", wire.Errorf("NatGatewayLimitExceeded", "Performing this operation would exceed the limit of %d NAT gateways", maxNATs)
	}
	n := &vpc.NATGateway{Home: h, ID: vpc.KindNATGateway.NewID(tx.NewID()), VPC: s.VPC, Subnet: s.ID, Connectivity: w.connectivity, CreatedAt: tx.Now(), ClientToken: w.token}
	i, err := tables.AttachNAT(tx, n, w.private)
	if err != nil {
		return nil, "", err
	}
	n.Interface, n.Addresses = i.ID, []vpc.NATAddress{{Private: i.Private[0].Addr}}
	if w.allocation != "" {
		e, err := tables.Elastic(tx, h, w.allocation)
		if err != nil {
			return nil, "", err
		}
		if e.Association != "" {
			return nil, "", alreadyAssociated(e)
		}
		association, err := tables.Associate(tx, e, i.ID, i.Private[0].Addr)
		if err != nil {
			return nil, "", err
		}
		n.Addresses[0].Public, n.Addresses[0].Elastic, n.Addresses[0].Association = e.Addr, e.ID, association
	}
	tables.NATGateways.Put(tx, n)
	tables.PutTags(tx, h, n.ID, w.tags)
	return n, n.ID, nil
}

// crowded says whether a subnet's zone has as many NAT gateways as it may.
func crowded(tx store.Tx, s *vpc.Subnet) bool {
	n := 0
	for _, g := range tables.NATGateways.List(tx, tables.All(s.Home), "") {
		if other, ok := tables.Subnets.Peek(tx, tables.Key(s.Home, g.Subnet)); ok && other.Zone == s.Zone && g.DeletedAt.IsZero() {
			n++
		}
	}
	return n >= maxNATs
}

// DeleteNatGateway deletes a NAT gateway, which stays describable for an hour. Its Elastic address is free again.
func (a *API) DeleteNatGateway(ctx context.Context, c wire.Call, in *shape.DeleteNatGatewayRequest) (*shape.DeleteNatGatewayResult, error) {
	err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		n, err := tables.NATGateway(tx, h, aws.Val(in.NatGatewayId))
		if err != nil {
			return err
		}
		if !n.DeletedAt.IsZero() {
			return nil
		}
		tables.Release(tx, h, n.Interface)
		next := *n
		next.DeletedAt = tx.Now()
		tables.NATGateways.Put(tx, &next)
		return nil
	})
	return &shape.DeleteNatGatewayResult{NatGatewayId: in.NatGatewayId}, err
}

// natView is a NAT gateway as it is now.
type natView struct {
	*vpc.NATGateway
	gone bool
}

func (n natView) state() string {
	if n.gone {
		return shape.NatGatewayStateDeleted
	}
	return shape.NatGatewayStateAvailable
}

var natFields = vpc.Fields[natView]{
	"nat-gateway-id": func(n natView) []string { return one(n.ID) },
	"state":          func(n natView) []string { return one(n.state()) },
	"subnet-id":      func(n natView) []string { return one(n.Subnet) },
	"vpc-id":         func(n natView) []string { return one(n.VPC) },
}

// DescribeNatGateways lists NAT gateways, also those that were deleted in the last hour.
func (a *API) DescribeNatGateways(ctx context.Context, c wire.Call, in *shape.DescribeNatGatewaysRequest) (*shape.DescribeNatGatewaysResult, error) {
	out := &shape.DescribeNatGatewaysResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		items := records(tx, h, tables.NATGateways, func(n *vpc.NATGateway) (listed[natView], bool) {
			gone := !n.DeletedAt.IsZero()
			forgotten := gone && tx.Now().Sub(n.DeletedAt) >= vpc.DeletedLife
			return listed[natView]{ID: n.ID, Item: natView{n, gone}, Tags: tables.TagsOf(tx, h, n.ID)}, !forgotten
		})
		page, next, err := list(c, listing[natView]{
			Kind: vpc.KindNATGateway, IDs: in.NatGatewayIds, Fields: natFields, Filters: in.Filter, Max: in.MaxResults, Token: in.NextToken,
		}, items)
		out.NatGateways, out.NextToken = render(page, renderNAT), next
		return err
	})
	return out, err
}

func renderNAT(l listed[natView]) shape.NatGateway {
	n := l.Item
	out := shape.NatGateway{
		NatGatewayId: aws.Ptr(n.ID), VpcId: aws.Ptr(n.VPC), SubnetId: aws.Ptr(n.Subnet), State: aws.Ptr(n.state()), ConnectivityType: aws.Ptr(n.Connectivity),
		AvailabilityMode: aws.Ptr(shape.AvailabilityModeZonal), CreateTime: aws.At(n.CreatedAt), Tags: renderTags(l.Tags),
	}
	if n.gone {
		out.DeleteTime = aws.At(n.DeletedAt)
	}
	for i, p := range n.Addresses {
		at := shape.NatGatewayAddress{
			NetworkInterfaceId: aws.Ptr(n.Interface), PrivateIp: aws.Ptr(p.Private.String()), IsPrimary: aws.Ptr(i == 0), Status: aws.Ptr(shape.NatGatewayAddressStatusSucceeded),
		}
		if p.Elastic != "" {
			at.AllocationId, at.PublicIp, at.AssociationId = aws.Ptr(p.Elastic), aws.Ptr(p.Public.String()), aws.Ptr(p.Association)
		}
		out.NatGatewayAddresses = append(out.NatGatewayAddresses, at)
	}
	return out
}
