package vpcapi

import (
	"context"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// maxSubnetBlocks6 is how many IPv6 ranges a subnet has, as on AWS.
const maxSubnetBlocks6 = 1

// AssociateSubnetCidrBlock gives a subnet an IPv6 range of its VPC's.
func (a *API) AssociateSubnetCidrBlock(ctx context.Context, c wire.Call, in *shape.AssociateSubnetCidrBlockRequest) (*shape.AssociateSubnetCidrBlockResult, error) {
	text := aws.Val(in.Ipv6CidrBlock)
	if text == "" {
		return nil, missing("ipv6CidrBlock")
	}
	cidr, err := netip.ParsePrefix(text)
	if err != nil || !cidr.Addr().Is6() {
		return nil, notCIDR("ipv6CidrBlock", text)
	}
	out := &shape.AssociateSubnetCidrBlockResult{SubnetId: in.SubnetId}
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		s, err := tables.Subnet(tx, h, aws.Val(in.SubnetId))
		if err != nil {
			return err
		}
		v, err := tables.VPC(tx, h, s.VPC)
		if err != nil {
			return err
		}
		if len(s.Blocks6) >= maxSubnetBlocks6 {
			return wire.Errorf("CidrLimitExceeded", "This subnet '%s' has met its maximum number of allowed CIDRs: %d", s.ID, maxSubnetBlocks6)
		}
		if err := fitsIn6(v, tables.Of(tx, tables.SubnetsByVPC, v.ID), cidr.Masked()); err != nil {
			return err
		}
		next, b := *s, subnetBlock(tx, cidr.Masked())
		next.Blocks6 = append(slices.Clone(s.Blocks6), b)
		tables.Changed(tx, h, v.ID)
		tables.Subnets.Put(tx, &next)
		out.Ipv6CidrBlockAssociation = aws.Ptr(renderSubnetBlock(b, shape.SubnetCidrBlockStateCodeAssociating))
		return nil
	})
	return out, err
}

// DisassociateSubnetCidrBlock takes the IPv6 range from a subnet, of which no interface may have an address. Interfaces are not given IPv6
// addresses by themselves any more.
func (a *API) DisassociateSubnetCidrBlock(ctx context.Context, c wire.Call, in *shape.DisassociateSubnetCidrBlockRequest) (*shape.DisassociateSubnetCidrBlockResult, error) {
	id := aws.Val(in.AssociationId)
	if err := vpc.KindSubnetBlock.Check(id); err != nil {
		return nil, err
	}
	out := &shape.DisassociateSubnetCidrBlockResult{}
	err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		with := func(b vpc.Block) bool { return b.Association == id }
		for key, s := range tables.Subnets.List(tx, tables.All(h), "") {
			if !slices.ContainsFunc(s.Blocks6, with) {
				continue
			}
			s, _ = tables.Subnets.Get(tx, key) // whoever gives an interface an address compares the subnet, too
			gone := s.Blocks6[slices.IndexFunc(s.Blocks6, with)]
			for _, i := range tables.InterfacesBySubnet.List(tx, s.ID, "") {
				if slices.ContainsFunc(i.IPv6, gone.CIDR.Contains) {
					return wire.Errorf("InvalidCidrBlock.InUse", "The CIDR '%s' of subnet %s is in use: network interface %s has an address of it.", gone.CIDR, s.ID, i.ID)
				}
			}
			next := *s
			next.Blocks6, next.AssignIPv6 = slices.DeleteFunc(slices.Clone(s.Blocks6), with), false
			tables.Changed(tx, h, s.VPC)
			tables.Subnets.Put(tx, &next)
			out.SubnetId, out.Ipv6CidrBlockAssociation = aws.Ptr(s.ID), aws.Ptr(renderSubnetBlock(gone, shape.SubnetCidrBlockStateCodeDisassociating))
			return nil
		}
		return vpc.KindSubnetBlock.NotFound(id)
	})
	return out, err
}

func subnetBlock(tx store.Tx, cidr netip.Prefix) vpc.Block {
	return vpc.Block{Association: vpc.KindSubnetBlock.NewID(tx.NewID()), CIDR: cidr}
}

func renderSubnetBlock(b vpc.Block, state string) shape.SubnetIpv6CidrBlockAssociation {
	return shape.SubnetIpv6CidrBlockAssociation{
		AssociationId: aws.Ptr(b.Association), Ipv6CidrBlock: aws.Ptr(b.CIDR.String()), Ipv6CidrBlockState: &shape.SubnetCidrBlockState{State: aws.Ptr(state)},
		IpSource: aws.Ptr(shape.IpSourceAmazon), Ipv6AddressAttribute: aws.Ptr(shape.Ipv6AddressAttributePublic),
	}
}

// CreateDefaultSubnet makes a zone's default subnet anew, in the first range of the default VPC that is free.
func (a *API) CreateDefaultSubnet(ctx context.Context, c wire.Call, in *shape.CreateDefaultSubnetRequest) (*shape.CreateDefaultSubnetResult, error) {
	zone, err := a.zoneNamed(c.Region, aws.Val(in.AvailabilityZone), aws.Val(in.AvailabilityZoneId))
	if err != nil {
		return nil, err
	}
	if zone == "" {
		return nil, missing("availabilityZone")
	}
	var out shape.Subnet
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		v, ok := tables.DefaultVPC(tx, h)
		if !ok {
			return wire.Errorf("DefaultVpcDoesNotExist", "No default VPC exists for this account in this region.")
		}
		if s, there := tables.DefaultSubnet(tx, h, zone); there {
			return wire.Errorf("DefaultSubnetAlreadyExistsInAvailabilityZone", "'%s' is already the default subnet in %s.", s.ID, zone)
		}
		if v, err = tables.VPC(tx, h, v.ID); err != nil {
			return err
		}
		s, ok := tables.MakeDefaultSubnet(tx, v, zone)
		if !ok {
			return wire.Errorf("InsufficientCidrBlocks", "There is no free range for a default subnet in %s.", v.ID)
		}
		out = renderSubnet(a.viewSubnet(tx, s))
		return nil
	})
	return &shape.CreateDefaultSubnetResult{Subnet: &out}, err
}
