package vpcapi

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func (a *API) bindSubnets(m *wire.Mux) {
	bind(m, shape.OpCreateSubnet, a.CreateSubnet)
	bind(m, shape.OpDeleteSubnet, a.DeleteSubnet)
	bind(m, shape.OpDescribeSubnets, a.DescribeSubnets)
	bind(m, shape.OpModifySubnetAttribute, a.ModifySubnetAttribute)
	bind(m, shape.OpAssociateSubnetCidrBlock, a.AssociateSubnetCidrBlock)
	bind(m, shape.OpDisassociateSubnetCidrBlock, a.DisassociateSubnetCidrBlock)
	bind(m, shape.OpCreateDefaultSubnet, a.CreateDefaultSubnet)
}

// subnetWish is what CreateSubnet asks for, read.
type subnetWish struct {
	vpc, zone string
	cidr      netip.Prefix
	text      string // of cidr, as it was given
	cidr6     netip.Prefix
}

// CreateSubnet makes a subnet in a VPC's range, apart from those that are there.
func (a *API) CreateSubnet(ctx context.Context, c wire.Call, in *shape.CreateSubnetRequest) (*shape.CreateSubnetResult, error) {
	w, err := a.readSubnet(c.Region, in)
	if err != nil {
		return nil, err
	}
	tags, err := tagSpec(in.TagSpecifications, vpc.KindSubnet)
	if err != nil {
		return nil, err
	}
	var out shape.Subnet
	err = a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		s, err := a.makeSubnet(tx, h, w)
		if err != nil {
			return err
		}
		tables.PutTags(tx, h, s.ID, tags)
		out = renderSubnet(a.viewSubnet(tx, s))
		return nil
	})
	return &shape.CreateSubnetResult{Subnet: &out}, err
}

func (a *API) readSubnet(region string, in *shape.CreateSubnetRequest) (w subnetWish, err error) {
	w.vpc, w.zone, w.text = aws.Val(in.VpcId), aws.Val(in.AvailabilityZone), aws.Val(in.CidrBlock)
	if w.text == "" {
		return w, wire.Errorf("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
	}
	if w.cidr, err = netip.ParsePrefix(w.text); err != nil || !w.cidr.Addr().Is4() {
		return w, notCIDR("cidrBlock", w.text)
	}
	w.cidr = w.cidr.Masked()
	if text := aws.Val(in.Ipv6CidrBlock); text != "" {
		if w.cidr6, err = netip.ParsePrefix(text); err != nil || !w.cidr6.Addr().Is6() {
			return w, notCIDR("ipv6CidrBlock", text)
		}
		w.cidr6 = w.cidr6.Masked()
	}
	w.zone, err = a.zoneNamed(region, w.zone, aws.Val(in.AvailabilityZoneId))
	return w, err
}

// zoneNamed is the name of the zone that a request for a subnet names by its name or its id; "" for none.
func (a *API) zoneNamed(region, name, id string) (string, error) {
	switch {
	case name != "" && id != "":
		return "", together("availabilityZone", "availabilityZoneId")
	case name == "" && id == "":
		return "", nil
	}
	zones := vpc.Zones(region, a.Zones(region))
	i := slices.IndexFunc(zones, func(z vpc.Zone) bool { return z.Name == name || z.ID == id })
	if i < 0 {
		names := render(zones, func(z vpc.Zone) string { return z.Name })
		return "", invalid("Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s.",
			name+id, strings.Join(names, ", "))
	}
	return zones[i].Name, nil
}

func (a *API) makeSubnet(tx store.Tx, h vpc.Home, w subnetWish) (*vpc.Subnet, error) {
	v, err := tables.VPC(tx, h, w.vpc)
	if err != nil {
		return nil, err
	}
	there := tables.Of(tx, tables.SubnetsByVPC, v.ID)
	if err := fitsIn(v, there, w); err != nil {
		return nil, err
	}
	if len(there) >= maxSubnets {
		return nil, wire.Errorf("SubnetLimitExceeded", "The maximum number of subnets has been reached.")
	}
	if w.zone == "" {
		w.zone = emptiest(a.Zones(h.Region), there)
	}
	s := &vpc.Subnet{Home: h, ID: vpc.KindSubnet.NewID(tx.NewID()), VPC: v.ID, Zone: w.zone, CIDR: w.cidr, HostnameBy: vpc.NamedByAddress, CreatedAt: tx.Now()}
	if w.cidr6.IsValid() {
		s.Blocks6 = []vpc.Block{subnetBlock(tx, w.cidr6)}
	}
	tables.Changed(tx, h, v.ID)
	tables.Subnets.Put(tx, s)
	return s, nil
}

// fitsIn refuses ranges that are not in the VPC's, or that another subnet has.
func fitsIn(v *vpc.VPC, there []*vpc.Subnet, w subnetWish) error {
	if !vpc.ValidBlock(w.cidr) || !vpc.Contains(v.Blocks, w.cidr) {
		return wire.Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", w.text)
	}
	if _, taken := vpc.Overlaps(w.cidr, there); taken {
		return wire.Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", w.text)
	}
	if !w.cidr6.IsValid() {
		return nil
	}
	return fitsIn6(v, there, w.cidr6)
}

// fitsIn6 is fitsIn for an IPv6 range.
func fitsIn6(v *vpc.VPC, there []*vpc.Subnet, p netip.Prefix) error {
	if p.Bits() > vpc.SubnetBits6 || p.Bits()%4 != 0 || !vpc.Contains(v.Blocks6, p) {
		return wire.Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", p)
	}
	for _, s := range there {
		if slices.ContainsFunc(s.Blocks6, func(b vpc.Block) bool { return b.CIDR.Overlaps(p) }) {
			return wire.Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", p)
		}
	}
	return nil
}

// emptiest is the zone with the fewest subnets, the first of several.
func emptiest(zones []string, subnets []*vpc.Subnet) string {
	n := map[string]int{}
	for _, s := range subnets {
		n[s.Zone]++
	}
	return slices.MinFunc(zones, func(a, b string) int { return n[a] - n[b] })
}

// DeleteSubnet deletes a subnet that no interface is in.
func (a *API) DeleteSubnet(ctx context.Context, c wire.Call, in *shape.DeleteSubnetRequest) (*aws.Unit, error) {
	id := aws.Val(in.SubnetId)
	_, err := a.deleteUnused(ctx, c, removal{
		find: func(tx store.Tx, h vpc.Home) (string, error) {
			if _, err := tables.Subnet(tx, h, id); err != nil {
				return id, err
			}
			if tables.InterfacesBySubnet.Count(tx, id) > 0 {
				return id, vpc.KindSubnet.Dependent(id)
			}
			return id, nil
		},
		remove: func(tx store.Tx, h vpc.Home, id string) {
			if s, err := tables.Subnet(tx, h, id); err == nil {
				tables.DeleteSubnet(tx, s)
			}
		},
	})
	return nil, err
}

// subnetView is a subnet and what is said of it beside.
type subnetView struct {
	*vpc.Subnet
	free   int
	zoneID string
}

func (a *API) viewSubnet(tx store.Tx, s *vpc.Subnet) listed[subnetView] {
	return listed[subnetView]{ID: s.ID, Item: subnetView{s, tables.FreeAddresses(tx, s), a.zoneID(s.Region, s.Zone)}, Tags: tables.TagsOf(tx, s.Home, s.ID)}
}

// zoneID is the id of the zone of a name, "" for one that is not the region's.
func (a *API) zoneID(region, name string) string {
	for _, z := range vpc.Zones(region, a.Zones(region)) {
		if z.Name == name {
			return z.ID
		}
	}
	return ""
}

var subnetFields = vpc.Fields[subnetView]{
	"availability-zone":                 func(s subnetView) []string { return one(s.Zone) },
	"availabilityZone":                  func(s subnetView) []string { return one(s.Zone) },
	"availability-zone-id":              func(s subnetView) []string { return one(s.zoneID) },
	"availabilityZoneId":                func(s subnetView) []string { return one(s.zoneID) },
	"available-ip-address-count":        func(s subnetView) []string { return one(strconv.Itoa(s.free)) },
	"cidr-block":                        func(s subnetView) []string { return one(s.CIDR.String()) },
	"cidr":                              func(s subnetView) []string { return one(s.CIDR.String()) },
	"cidrBlock":                         func(s subnetView) []string { return one(s.CIDR.String()) },
	"customer-owned-ipv4-pool":          func(subnetView) []string { return nil },
	"default-for-az":                    func(s subnetView) []string { return one(either(s.Default)) },
	"defaultForAz":                      func(s subnetView) []string { return one(either(s.Default)) },
	"enable-dns64":                      func(s subnetView) []string { return one(either(s.DNS64)) },
	"enable-lni-at-device-index":        func(subnetView) []string { return nil },
	"ipv6-native":                       func(subnetView) []string { return one("false") },
	"map-customer-owned-ip-on-launch":   func(subnetView) []string { return one("false") },
	"map-public-ip-on-launch":           func(s subnetView) []string { return one(either(s.MapPublic)) },
	"outpost-arn":                       func(subnetView) []string { return nil },
	"owner-id":                          func(s subnetView) []string { return one(s.Account) },
	"state":                             func(subnetView) []string { return one(shape.SubnetStateAvailable) },
	"subnet-arn":                        func(s subnetView) []string { return one(s.ARN("subnet", s.ID)) },
	"subnet-id":                         func(s subnetView) []string { return one(s.ID) },
	"vpc-id":                            func(s subnetView) []string { return one(s.VPC) },
	"ipv6-cidr-block-association.state": func(s subnetView) []string { return stateOf(s.Blocks6) },
	"ipv6-cidr-block-association.association-id":                              func(s subnetView) []string { return blockIDs(s.Blocks6) },
	"ipv6-cidr-block-association.ipv6-cidr-block":                             func(s subnetView) []string { return blockTexts(s.Blocks6) },
	"private-dns-name-options-on-launch.hostname-type":                        func(s subnetView) []string { return one(s.HostnameBy) },
	"private-dns-name-options-on-launch.enable-resource-name-dns-a-record":    func(s subnetView) []string { return one(either(s.ResourceA)) },
	"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": func(s subnetView) []string { return one(either(s.ResourceAAA)) },
}

// DescribeSubnets lists subnets.
func (a *API) DescribeSubnets(ctx context.Context, c wire.Call, in *shape.DescribeSubnetsRequest) (*shape.DescribeSubnetsResult, error) {
	out := &shape.DescribeSubnetsResult{}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[subnetView]{
			Kind: vpc.KindSubnet, IDs: in.SubnetIds, Fields: subnetFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, viewed(tx, h, tables.Subnets, func(s *vpc.Subnet) listed[subnetView] { return a.viewSubnet(tx, s) }))
		out.Subnets, out.NextToken = render(page, renderSubnet), next
		return err
	})
	return out, err
}

func renderSubnet(l listed[subnetView]) shape.Subnet {
	s := l.Item
	out := shape.Subnet{
		SubnetId: aws.Ptr(s.ID), SubnetArn: aws.Ptr(s.ARN("subnet", s.ID)), VpcId: aws.Ptr(s.VPC), OwnerId: aws.Ptr(s.Account), State: aws.Ptr(shape.SubnetStateAvailable),
		AvailabilityZone: aws.Ptr(s.Zone), AvailabilityZoneId: aws.Ptr(s.zoneID), CidrBlock: aws.Ptr(s.CIDR.String()),
		AvailableIpAddressCount: aws.Ptr(int32(s.free)),
		DefaultForAz:            aws.Ptr(s.Default), MapPublicIpOnLaunch: aws.Ptr(s.MapPublic), AssignIpv6AddressOnCreation: aws.Ptr(s.AssignIPv6),
		EnableDns64: aws.Ptr(s.DNS64), Ipv6Native: aws.Ptr(false), MapCustomerOwnedIpOnLaunch: aws.Ptr(false),
		PrivateDnsNameOptionsOnLaunch: &shape.PrivateDnsNameOptionsOnLaunch{
			HostnameType: aws.Ptr(s.HostnameBy), EnableResourceNameDnsARecord: aws.Ptr(s.ResourceA), EnableResourceNameDnsAAAARecord: aws.Ptr(s.ResourceAAA),
		},
		Tags: renderTags(l.Tags), Ipv6CidrBlockAssociationSet: []shape.SubnetIpv6CidrBlockAssociation{},
	}
	for _, b := range s.Blocks6 {
		out.Ipv6CidrBlockAssociationSet = append(out.Ipv6CidrBlockAssociationSet, renderSubnetBlock(b, associated))
	}
	return out
}
