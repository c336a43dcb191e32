package vpcapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

func TestLifeOfASubnet(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	s := try(w, w.CreateSubnet, shape.CreateSubnetRequest{VpcId: &v, CidrBlock: ptr("10.0.1.77/24"), AvailabilityZoneId: ptr("use1-az2"),
		TagSpecifications: []shape.TagSpecification{{ResourceType: ptr("subnet"), Tags: []shape.Tag{{Key: ptr("tier"), Value: ptr("front")}}}}}).Subnet
	if *s.CidrBlock != "10.0.1.0/24" || *s.AvailabilityZone != "us-east-1b" || *s.AvailableIpAddressCount != 251 || *s.MapPublicIpOnLaunch || *s.DefaultForAz ||
		*s.SubnetArn != "arn:aws:ec2:us-east-1:000000000000:subnet/"+*s.SubnetId || *s.PrivateDnsNameOptionsOnLaunch.HostnameType != "ip-name" {
		t.Errorf("%+v", s)
	}
	i := w.eni(*s.SubnetId)
	for _, f := range [][]shape.Filter{
		filter("tag:tier", "f*"), filter("cidr-block", "10.0.1.0/24"), filter("availability-zone-id", "use1-az2"), filter("available-ip-address-count", "250"), filter("subnet-id", *s.SubnetId),
	} {
		out := try(w, w.DescribeSubnets, shape.DescribeSubnetsRequest{Filters: append(f, filter("vpc-id", v)[0], filter("default-for-az", "false")[0])})
		if len(out.Subnets) != 1 || *out.Subnets[0].SubnetId != *s.SubnetId || *out.Subnets[0].AvailableIpAddressCount != 250 {
			t.Errorf("%s: %+v", *f[0].Name, out.Subnets)
		}
	}
	for _, change := range []shape.ModifySubnetAttributeRequest{
		{MapPublicIpOnLaunch: boolean(true)}, {EnableDns64: boolean(true)}, {EnableResourceNameDnsARecordOnLaunch: boolean(true)},
		{EnableResourceNameDnsAAAARecordOnLaunch: boolean(true)}, {PrivateDnsHostnameTypeOnLaunch: ptr("resource-name")},
	} {
		change.SubnetId = s.SubnetId
		try(w, w.ModifySubnetAttribute, change)
	}
	got := try(w, w.DescribeSubnets, shape.DescribeSubnetsRequest{SubnetIds: []string{*s.SubnetId}}).Subnets[0]
	if p := got.PrivateDnsNameOptionsOnLaunch; !*got.MapPublicIpOnLaunch || !*got.EnableDns64 || !*p.EnableResourceNameDnsARecord || !*p.EnableResourceNameDnsAAAARecord || *p.HostnameType != "resource-name" {
		t.Errorf("%+v", got)
	}
	w.refuses(bad(w, "DependencyViolation: The subnet '"+*s.SubnetId+"' has dependencies and cannot be deleted.", w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: s.SubnetId}))
	w.release(i)
	if got := try(w, w.DescribeSubnets, shape.DescribeSubnetsRequest{SubnetIds: []string{*s.SubnetId}}).Subnets[0]; *got.AvailableIpAddressCount != 251 {
		t.Errorf("an address that rests counts as taken: %d are free", *got.AvailableIpAddressCount)
	}
	try(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: s.SubnetId})
	w.refuses(bad(w, "InvalidSubnetID.NotFound: The subnet ID '"+*s.SubnetId+"' does not exist", w.DescribeSubnets, shape.DescribeSubnetsRequest{SubnetIds: []string{*s.SubnetId}}))
}

func (w *world) release(i *vpc.Interface) {
	w.t.Helper()
	if err := w.update(w.t.Context(), caller, func(tx store.Tx, h vpc.Home) error { tables.Release(tx, h, i.ID); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// Subnets without a zone are spread over all of them.
func TestSubnetsAreSpread(t *testing.T) {
	w := newWorld(t)
	v := w.vpc("10.0.0.0/16")
	zones := map[string]int{}
	for i := range 6 {
		id := w.subnet(v, fmt.Sprintf("10.0.%d.0/24", i))
		zones[*try(w, w.DescribeSubnets, shape.DescribeSubnetsRequest{SubnetIds: []string{id}}).Subnets[0].AvailabilityZone]++
	}
	if len(zones) != 3 || zones["us-east-1a"] != 2 {
		t.Errorf("%v", zones)
	}
}

func TestBadRequestsAboutSubnets(t *testing.T) {
	w := newWorld(t)
	v, none := w.vpc("10.0.0.0/16"), "subnet-0123456789abcdef0"
	s := w.subnet(v, "10.0.1.0/24")
	create := func(want, cidr string) row {
		return bad(w, want, w.CreateSubnet, shape.CreateSubnetRequest{VpcId: &v, CidrBlock: &cidr})
	}
	with := func(want string, in shape.CreateSubnetRequest) row {
		in.VpcId, in.CidrBlock = &v, ptr("10.0.2.0/24")
		return bad(w, want, w.CreateSubnet, in)
	}
	modify := func(want string, in shape.ModifySubnetAttributeRequest) row {
		in.SubnetId = &s
		return bad(w, want, w.ModifySubnetAttribute, in)
	}
	w.refuses(
		create("MissingParameter", ""), create("InvalidParameterValue: Value (x) for parameter cidrBlock is invalid.", "x"),
		create("InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.", "10.1.0.0/24"), create("InvalidSubnet.Range", "10.0.0.0/15"), create("InvalidSubnet.Range", "10.0.2.0/29"),
		create("InvalidSubnet.Conflict: The CIDR '10.0.1.128/25' conflicts with another subnet", "10.0.1.128/25"), create("InvalidSubnet.Conflict", "10.0.0.0/16"),
		bad(w, "InvalidVpcID.NotFound", w.CreateSubnet, shape.CreateSubnetRequest{VpcId: ptr("vpc-01234567"), CidrBlock: ptr("10.0.2.0/24")}),
		with("InvalidParameterValue: Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: us-east-1a, us-east-1b, us-east-1c.",
			shape.CreateSubnetRequest{AvailabilityZone: ptr("us-east-1z")}),
		with("InvalidParameterCombination", shape.CreateSubnetRequest{AvailabilityZone: ptr("us-east-1a"), AvailabilityZoneId: ptr("use1-az1")}),
		with("InvalidSubnet.Range: The CIDR '2001:db8::/64' is invalid.", shape.CreateSubnetRequest{Ipv6CidrBlock: ptr("2001:db8::/64")}),
		with("InvalidParameterValue: Value (10.0.0.0/8) for parameter ipv6CidrBlock is invalid.", shape.CreateSubnetRequest{Ipv6CidrBlock: ptr("10.0.0.0/8")}),
		with("UnsupportedOperation: There are no Outposts in this region. (OutpostArn)", shape.CreateSubnetRequest{OutpostArn: ptr("arn:aws:outposts:us-east-1:000000000000:outpost/op-1")}),
		with("UnsupportedOperation", shape.CreateSubnetRequest{Ipv6Native: ptr(true)}),
		with("InvalidParameterValue: Duplicate tag key 'a' specified.", shape.CreateSubnetRequest{TagSpecifications: []shape.TagSpecification{{ResourceType: ptr("subnet"), Tags: []shape.Tag{{Key: ptr("a")}, {Key: ptr("a")}}}}}),
		bad(w, "InvalidSubnetID.NotFound", w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: &none}),
		bad(w, "InvalidSubnetID.Malformed", w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: ptr("blue")}),
		bad(w, "InvalidSubnetID.NotFound: The subnet IDs '"+none+", subnet-01234567' do not exist", w.DescribeSubnets, shape.DescribeSubnetsRequest{SubnetIds: []string{none, s, "subnet-01234567"}}),
		bad(w, "InvalidParameterValue: The filter 'colour' is invalid", w.DescribeSubnets, shape.DescribeSubnetsRequest{Filters: filter("colour", "red")}),
		modify("MissingParameter", shape.ModifySubnetAttributeRequest{}),
		modify("InvalidParameterCombination", shape.ModifySubnetAttributeRequest{MapPublicIpOnLaunch: boolean(true), EnableDns64: boolean(true)}),
		modify("InvalidParameterValue: Invalid value '"+s+"' for subnetId.", shape.ModifySubnetAttributeRequest{AssignIpv6AddressOnCreation: boolean(true)}),
		modify("InvalidParameterValue: Value (funny-name) for parameter privateDnsHostnameTypeOnLaunch", shape.ModifySubnetAttributeRequest{PrivateDnsHostnameTypeOnLaunch: ptr("funny-name")}),
		modify("UnsupportedOperation", shape.ModifySubnetAttributeRequest{CustomerOwnedIpv4Pool: ptr("ipv4pool-coip-1")}),
		bad(w, "InvalidSubnetID.NotFound", w.ModifySubnetAttribute, shape.ModifySubnetAttributeRequest{SubnetId: &none, EnableDns64: boolean(true)}),
	)
}

func TestIPv6RangesOfSubnets(t *testing.T) {
	w := newWorld(t)
	v := try(w, w.CreateVpc, shape.CreateVpcRequest{CidrBlock: ptr("10.0.0.0/16"), AmazonProvidedIpv6CidrBlock: ptr(true)}).Vpc
	block := *try(w, w.DescribeVpcs, shape.DescribeVpcsRequest{VpcIds: []string{*v.VpcId}}).Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock
	six := strings.TrimSuffix(block, "/56") + "/64"
	s := try(w, w.CreateSubnet, shape.CreateSubnetRequest{VpcId: v.VpcId, CidrBlock: ptr("10.0.0.0/24"), Ipv6CidrBlock: &six}).Subnet
	if got := s.Ipv6CidrBlockAssociationSet; len(got) != 1 || *got[0].Ipv6CidrBlock != six {
		t.Errorf("%+v", got)
	}
	w.refuses(
		bad(w, "InvalidSubnet.Conflict", w.CreateSubnet, shape.CreateSubnetRequest{VpcId: v.VpcId, CidrBlock: ptr("10.0.1.0/24"), Ipv6CidrBlock: &six}),
		bad(w, "InvalidSubnet.Range", w.CreateSubnet, shape.CreateSubnetRequest{VpcId: v.VpcId, CidrBlock: ptr("10.0.1.0/24"), Ipv6CidrBlock: ptr(strings.TrimSuffix(six, "64") + "65")}),
	)
	try(w, w.ModifySubnetAttribute, shape.ModifySubnetAttributeRequest{SubnetId: s.SubnetId, AssignIpv6AddressOnCreation: boolean(true)})
	if i := w.eni(*s.SubnetId); len(i.IPv6) != 1 {
		t.Errorf("the interface has %v", i.IPv6)
	}
}

func TestDHCPOptions(t *testing.T) {
	w := newWorld(t)
	one := func(key string, values ...string) []shape.NewDhcpConfiguration {
		return []shape.NewDhcpConfiguration{{Key: &key, Values: values}}
	}
	create := func(want string, c []shape.NewDhcpConfiguration) row {
		return bad(w, want, w.CreateDhcpOptions, shape.CreateDhcpOptionsRequest{DhcpConfigurations: c})
	}
	w.refuses(
		create("InvalidParameterValue: Value (colour) for parameter key is invalid. Unknown DHCP option", one("colour", "red")),
		create("InvalidParameterValue: Value () for parameter value", one("domain-name")), create("MissingParameter", nil),
		create("InvalidParameterValue: Value (x) for parameter domain-name-servers is invalid.", one("domain-name-servers", "x")),
		create("InvalidParameterValue: Value (AmazonProvidedDNS) for parameter ntp-servers", one("ntp-servers", "AmazonProvidedDNS")),
		create("InvalidParameterValue: Value (3) for parameter netbios-node-type", one("netbios-node-type", "3")),
		create("InvalidParameterValue: Value (ntp-servers) for parameter key is invalid. At most 4", one("ntp-servers", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5")),
		create("InvalidParameterValue: Value (domain-name) for parameter key is invalid. Duplicate", append(one("domain-name", "a"), one("domain-name", "b")...)),
	)
	o := try(w, w.CreateDhcpOptions, shape.CreateDhcpOptionsRequest{DhcpConfigurations: append(one("domain-name", "example.test"), one("domain-name-servers", "10.0.0.2", "AmazonProvidedDNS")...)}).DhcpOptions
	v := w.vpc("10.0.0.0/16")
	try(w, w.AssociateDhcpOptions, shape.AssociateDhcpOptionsRequest{DhcpOptionsId: o.DhcpOptionsId, VpcId: &v})
	for _, f := range [][]shape.Filter{filter("key", "domain-name-servers"), filter("value", "example.*"), filter("dhcp-options-id", *o.DhcpOptionsId)} {
		found := false
		for _, got := range try(w, w.DescribeDhcpOptions, shape.DescribeDhcpOptionsRequest{Filters: f}).DhcpOptions {
			found = found || *got.DhcpOptionsId == *o.DhcpOptionsId && len(got.DhcpConfigurations) == 2 && *got.DhcpConfigurations[1].Values[1].Value == "AmazonProvidedDNS"
		}
		if !found {
			t.Errorf("not found by %s", *f[0].Name)
		}
	}
	none := "dopt-01234567"
	w.refuses(
		bad(w, "DependencyViolation: The dhcpOptions '"+*o.DhcpOptionsId+"' has dependencies and cannot be deleted.", w.DeleteDhcpOptions, shape.DeleteDhcpOptionsRequest{DhcpOptionsId: o.DhcpOptionsId}),
		bad(w, "InvalidDhcpOptionsID.NotFound: The dhcpOptions ID '"+none+"' does not exist", w.DeleteDhcpOptions, shape.DeleteDhcpOptionsRequest{DhcpOptionsId: &none}),
		bad(w, "InvalidDhcpOptionsId.Malformed", w.DeleteDhcpOptions, shape.DeleteDhcpOptionsRequest{DhcpOptionsId: ptr("blue")}),
		bad(w, "InvalidDhcpOptionID.NotFound", w.AssociateDhcpOptions, shape.AssociateDhcpOptionsRequest{DhcpOptionsId: &none, VpcId: &v}),
		bad(w, "InvalidVpcID.NotFound", w.AssociateDhcpOptions, shape.AssociateDhcpOptionsRequest{DhcpOptionsId: o.DhcpOptionsId, VpcId: ptr("vpc-01234567")}),
		bad(w, "InvalidDhcpOptionID.NotFound", w.DescribeDhcpOptions, shape.DescribeDhcpOptionsRequest{DhcpOptionsIds: []string{none}}),
	)
	try(w, w.AssociateDhcpOptions, shape.AssociateDhcpOptionsRequest{DhcpOptionsId: ptr("default"), VpcId: &v})
	try(w, w.DeleteDhcpOptions, shape.DeleteDhcpOptionsRequest{DhcpOptionsId: o.DhcpOptionsId})
}

func TestDefaultSubnetIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	v := w.standard()
	zone := func(z string) shape.CreateDefaultSubnetRequest {
		return shape.CreateDefaultSubnetRequest{AvailabilityZone: &z}
	}
	old := try(w, w.DescribeSubnets, shape.DescribeSubnetsRequest{Filters: filter("availability-zone", "us-east-1b")}).Subnets[0]
	w.refuses(
		bad(w, "DefaultSubnetAlreadyExistsInAvailabilityZone: '"+*old.SubnetId+"' is already the default subnet in us-east-1b.", w.CreateDefaultSubnet, zone("us-east-1b")),
		bad(w, "InvalidParameterValue: Value (us-east-1z) for parameter availabilityZone is invalid.", w.CreateDefaultSubnet, zone("us-east-1z")),
		bad(w, "MissingParameter", w.CreateDefaultSubnet, shape.CreateDefaultSubnetRequest{}),
		bad(w, "UnsupportedOperation", w.CreateDefaultSubnet, shape.CreateDefaultSubnetRequest{AvailabilityZone: ptr("us-east-1b"), Ipv6Native: ptr(true)}),
	)
	try(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: old.SubnetId})
	mine := w.subnet(v.ID, *old.CidrBlock) // its range is taken by then
	s := try(w, w.CreateDefaultSubnet, shape.CreateDefaultSubnetRequest{AvailabilityZoneId: ptr("use1-az2")}).Subnet
	if *s.CidrBlock != "172.31.48.0/20" || !*s.DefaultForAz || !*s.MapPublicIpOnLaunch || *s.AvailabilityZone != "us-east-1b" || *s.SubnetId == mine {
		t.Errorf("%s", asText(s))
	}
	try(w, w.DeleteSubnet, shape.DeleteSubnetRequest{SubnetId: s.SubnetId})
	for i := range 13 {
		w.subnet(v.ID, fmt.Sprintf("172.31.%d.0/28", 16*(i+3)))
	}
	w.refuses(bad(w, "InsufficientCidrBlocks", w.CreateDefaultSubnet, zone("us-east-1b")))
}
