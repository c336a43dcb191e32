package vpcapi

import (
	"strings"
	"testing"

	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// opened says what the default network ACL and group of a VPC let out: the numbers of the entries and the ranges of the rules.
func (w *world) opened(v string) string {
	w.t.Helper()
	var out []string
	acl := try(w, w.DescribeNetworkAcls, shape.DescribeNetworkAclsRequest{Filters: append(filter("vpc-id", v), filter("default", "true")...)}).NetworkAcls[0]
	for _, e := range acl.Entries {
		if *e.Egress {
			out = append(out, *e.RuleAction+" "+asText(*e.RuleNumber))
		}
	}
	g := try(w, w.DescribeSecurityGroups, shape.DescribeSecurityGroupsRequest{Filters: append(filter("vpc-id", v), filter("group-name", "default")...)}).SecurityGroups[0]
	for _, p := range g.IpPermissionsEgress {
		for _, r := range p.IpRanges {
			out = append(out, *r.CidrIp)
		}
		for _, r := range p.Ipv6Ranges {
			out = append(out, *r.CidrIpv6)
		}
	}
	return strings.Join(out, ", ")
}

// A VPC's own ACL and group let IPv6 through as they do IPv4, from the start or when the VPC gets its first range, unless they were changed.
func TestIPv6IsOpen(t *testing.T) {
	const four, both = "allow 100, deny 32767, 0.0.0.0/0", "allow 100, allow 101, deny 32767, deny 32768, 0.0.0.0/0, ::/0"
	w := newWorld(t)
	born := *try(w, w.CreateVpc, shape.CreateVpcRequest{CidrBlock: ptr("10.0.0.0/16"), AmazonProvidedIpv6CidrBlock: ptr(true)}).Vpc.VpcId
	later, changed := w.vpc("10.0.0.0/16"), w.vpc("10.0.0.0/16")
	group := *try(w, w.DescribeSecurityGroups, shape.DescribeSecurityGroupsRequest{Filters: filter("vpc-id", changed)}).SecurityGroups[0].GroupId
	acl := *try(w, w.DescribeNetworkAcls, shape.DescribeNetworkAclsRequest{Filters: filter("vpc-id", changed)}).NetworkAcls[0].NetworkAclId
	try(w, w.AuthorizeSecurityGroupEgress, shape.AuthorizeSecurityGroupEgressRequest{GroupId: &group, IpPermissions: []shape.IpPermission{tcp(80, "10.0.0.0/8")}})
	try(w, w.DeleteNetworkAclEntry, shape.DeleteNetworkAclEntryRequest{NetworkAclId: &acl, Egress: ptr(true), RuleNumber: ptr(int32(100))})
	for id, want := range map[string]string{born: both, later: four, changed: "deny 32767, 0.0.0.0/0, 10.0.0.0/8"} {
		if got := w.opened(id); len(got) != len(want) || !strings.Contains(got, "0.0.0.0/0") {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	for _, id := range []string{later, later, changed} { // the second range changes nothing more
		try(w, w.AssociateVpcCidrBlock, shape.AssociateVpcCidrBlockRequest{VpcId: &id, AmazonProvidedIpv6CidrBlock: ptr(true)})
	}
	if got := w.opened(later); got != both {
		t.Errorf("%s\nwant %s", got, both)
	}
	if got := w.opened(changed); strings.Contains(got, "::/0") || strings.Contains(got, "101") {
		t.Errorf("what was changed is opened: %s", got)
	}
	try(w, w.DeleteVpc, shape.DeleteVpcRequest{VpcId: &changed})
	w.nothingOf(changed)
	w.nothingOf(group)
}

func TestIPv6OfSubnets(t *testing.T) {
	w := newWorld(t)
	v := try(w, w.CreateVpc, shape.CreateVpcRequest{CidrBlock: ptr("10.0.0.0/16"), AmazonProvidedIpv6CidrBlock: ptr(true)}).Vpc
	s, other := w.subnet(*v.VpcId, "10.0.1.0/24"), w.subnet(*v.VpcId, "10.0.2.0/24")
	cidr := strings.Replace(*v.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock, "::/56", "::/64", 1)
	associate := func(s, cidr string) shape.AssociateSubnetCidrBlockRequest {
		return shape.AssociateSubnetCidrBlockRequest{SubnetId: &s, Ipv6CidrBlock: &cidr}
	}
	out := try(w, w.AssociateSubnetCidrBlock, associate(s, cidr))
	id := out.Ipv6CidrBlockAssociation.AssociationId
	if *out.Ipv6CidrBlockAssociation.Ipv6CidrBlockState.State != "associating" || *out.SubnetId != s {
		t.Errorf("%s", asText(out))
	}
	w.refuses(
		bad(w, "CidrLimitExceeded: This subnet '"+s+"' has met its maximum number of allowed CIDRs: 1", w.AssociateSubnetCidrBlock, associate(s, cidr)),
		bad(w, "InvalidSubnet.Conflict: The CIDR '"+cidr+"' conflicts with another subnet", w.AssociateSubnetCidrBlock, associate(other, cidr)),
		bad(w, "InvalidSubnet.Range: The CIDR 'fd00::/64' is invalid.", w.AssociateSubnetCidrBlock, associate(other, "fd00::/64")),
		bad(w, "InvalidParameterValue", w.AssociateSubnetCidrBlock, associate(other, "10.0.0.0/24")),
		bad(w, "MissingParameter", w.AssociateSubnetCidrBlock, associate(other, "")),
		bad(w, "InvalidSubnetID.NotFound", w.AssociateSubnetCidrBlock, associate("subnet-01234567", cidr)),
		bad(w, "UnsupportedOperation", w.AssociateSubnetCidrBlock, shape.AssociateSubnetCidrBlockRequest{SubnetId: &s, Ipv6IpamPoolId: ptr("ipam-pool-1")}),
		bad(w, "InvalidSubnetCidrBlockAssociationID.NotFound", w.DisassociateSubnetCidrBlock, shape.DisassociateSubnetCidrBlockRequest{AssociationId: ptr("subnet-cidr-assoc-01234567")}),
		bad(w, "InvalidSubnetCidrBlockAssociationID.Malformed", w.DisassociateSubnetCidrBlock, shape.DisassociateSubnetCidrBlockRequest{AssociationId: &s}),
	)
	try(w, w.ModifySubnetAttribute, shape.ModifySubnetAttributeRequest{SubnetId: &s, AssignIpv6AddressOnCreation: boolean(true)})
	i := w.eni(s)
	w.addresses6(i.ID, i.IPv6[0].String(), strings.Replace(cidr, "::/64", "::7", 1))
	w.refuses(bad(w, "InvalidCidrBlock.InUse", w.DisassociateSubnetCidrBlock, shape.DisassociateSubnetCidrBlockRequest{AssociationId: id}))
	w.release(i)
	if gone := try(w, w.DisassociateSubnetCidrBlock, shape.DisassociateSubnetCidrBlockRequest{AssociationId: id}); *gone.SubnetId != s || *gone.Ipv6CidrBlockAssociation.Ipv6CidrBlockState.State != "disassociating" {
		t.Errorf("%s", asText(gone))
	}
	if i := w.eni(s); len(i.IPv6) > 0 {
		t.Errorf("an address of a range that is gone: %v", i.IPv6)
	}
}

// addresses6 gives an interface, which has one IPv6 address, two more and takes all of them away.
func (w *world) addresses6(id, first, asked string) {
	w.t.Helper()
	assign := func(n *int32, all ...string) shape.AssignIpv6AddressesRequest {
		return shape.AssignIpv6AddressesRequest{NetworkInterfaceId: &id, Ipv6AddressCount: n, Ipv6Addresses: all}
	}
	got := append(try(w, w.AssignIpv6Addresses, assign(nil, asked, asked, first)).AssignedIpv6Addresses, try(w, w.AssignIpv6Addresses, assign(ptr(int32(1)))).AssignedIpv6Addresses...)
	if len(got) != 2 || got[0] != asked {
		w.t.Error(got)
	}
	gone := func(all ...string) shape.UnassignIpv6AddressesRequest {
		return shape.UnassignIpv6AddressesRequest{NetworkInterfaceId: &id, Ipv6Addresses: all}
	}
	w.refuses(
		bad(w, "InvalidParameterCombination: Either", w.AssignIpv6Addresses, assign(nil)), bad(w, "InvalidParameterCombination: The", w.AssignIpv6Addresses, assign(ptr(int32(1)), asked)),
		bad(w, "InvalidParameterValue: Invalid value '10.0.1.9'", w.AssignIpv6Addresses, assign(nil, "10.0.1.9")),
		bad(w, "InvalidParameterValue: Address fd00::1 does not fall within", w.AssignIpv6Addresses, assign(nil, "fd00::1")),
		bad(w, "PrivateIpAddressLimitExceeded", w.AssignIpv6Addresses, assign(ptr(int32(30)))),
		bad(w, "UnsupportedOperation", w.AssignIpv6Addresses, shape.AssignIpv6AddressesRequest{NetworkInterfaceId: &id, Ipv6PrefixCount: ptr(int32(1))}),
		bad(w, "InvalidNetworkInterfaceID.NotFound", w.AssignIpv6Addresses, shape.AssignIpv6AddressesRequest{NetworkInterfaceId: ptr("eni-01234567"), Ipv6AddressCount: ptr(int32(1))}),
		bad(w, "InvalidParameterValue: Some of the specified", w.UnassignIpv6Addresses, gone("fd00::1")), bad(w, "MissingParameter", w.UnassignIpv6Addresses, gone()),
	)
	if out := try(w, w.UnassignIpv6Addresses, gone(append(got, first)...)); len(out.UnassignedIpv6Addresses) != 3 {
		w.t.Errorf("%s", asText(out))
	}
	try(w, w.AssignIpv6Addresses, assign(nil, asked)) // it rests, and is given to who asks for it
}
