package vpcapi

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// quota is a number that requests may reach and not exceed.
type quota struct {
	max  int                                  // how many there may be
	have int                                  // how many there are before anything is put
	put  func(tx store.Tx, h vpc.Home, n int) // one of them, for the nth time
	more func(n int) error                    // asks for another
	want string
}

// fill makes records, as many in one transaction as fit.
func (w *world) fill(n int, put func(tx store.Tx, h vpc.Home, n int)) {
	w.t.Helper()
	for i := 0; i < n; {
		err := w.update(w.t.Context(), caller, func(tx store.Tx, h vpc.Home) error {
			for end := min(n, i+40); i < end; i++ {
				put(tx, h, i)
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// Every quota: the last one that is allowed is made, the next is refused with EC2's code.
func TestQuotas(t *testing.T) {
	for name, of := range map[string]func(w *world) quota{
		"VPCs": vpcQuota, "subnets": subnetQuota, "route tables": routeTableQuota, "routes": routeQuota, "network ACLs": aclQuota, "entries": entryQuota,
		"internet gateways": gatewayQuota, "NAT gateways": natQuota, "addresses": addressQuota, "DHCP options": optionsQuota, "security groups": groupQuota,
		"rules": ruleQuota, "ranges": blockQuota, "IPv6 ranges": block6Quota, "groups of an interface": interfaceQuota, "private addresses": privateQuota, "tags": tagQuota,
		"filter values": filterQuota,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			q := of(w)
			w.fill(q.max-q.have-1, q.put)
			if err := q.more(q.max - 1); err != nil {
				t.Errorf("the last one that is allowed: %s", said(err))
			}
			if got := said(q.more(q.max)); got != q.want {
				t.Errorf("one more than %d: %s, want %s", q.max, got, q.want)
			}
		})
	}
}

func vpcQuota(w *world) quota {
	w.standard()
	return quota{maxVPCs, 1, func(tx store.Tx, h vpc.Home, _ int) {
		tables.VPCs.Put(tx, &vpc.VPC{Home: h, ID: vpc.KindVPC.NewID(tx.NewID()), Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/16")}}})
	}, func(int) error {
		_, err := sent(w, w.CreateVpc, shape.CreateVpcRequest{CidrBlock: ptr("10.0.0.0/16")})
		return err
	},
		"VpcLimitExceeded: The maximum number of VPCs has been reached."}
}

func subnetQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	cidr := func(n int) netip.Prefix {
		return netip.PrefixFrom(vpc.Nth(netip.MustParseAddr("10.0.0.0"), uint64(n)*16), 28)
	}
	return quota{maxSubnets, 0, func(tx store.Tx, h vpc.Home, n int) {
		tables.Subnets.Put(tx, &vpc.Subnet{Home: h, ID: vpc.KindSubnet.NewID(tx.NewID()), VPC: v, CIDR: cidr(n), Zone: "us-east-1a"})
	}, func(n int) error {
		_, err := sent(w, w.CreateSubnet, shape.CreateSubnetRequest{VpcId: &v, CidrBlock: ptr(cidr(n).String())})
		return err
	}, "SubnetLimitExceeded: The maximum number of subnets has been reached."}
}

func routeTableQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	return quota{maxRouteTables, 1, func(tx store.Tx, h vpc.Home, _ int) {
		tables.RouteTables.Put(tx, &vpc.RouteTable{Home: h, ID: vpc.KindRouteTable.NewID(tx.NewID()), VPC: v})
	}, func(int) error {
		_, err := sent(w, w.CreateRouteTable, shape.CreateRouteTableRequest{VpcId: &v})
		return err
	},
		"RouteTableLimitExceeded: The maximum number of route tables has been reached."}
}

func routeQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	table, g := w.table(v), w.gateway(v)
	to := func(n int) netip.Prefix {
		return netip.PrefixFrom(vpc.Nth(netip.MustParseAddr("172.16.0.0"), uint64(n)), 32)
	}
	return quota{maxRoutes, 0, func(tx store.Tx, h vpc.Home, n int) {
		r, _ := tables.RouteTables.Get(tx, tables.Key(h, table))
		next := *r
		next.Routes = append(slices.Clone(r.Routes), vpc.Route{Destination: to(n), Target: g})
		tables.RouteTables.Put(tx, &next)
	}, func(n int) error {
		_, err := sent(w, w.CreateRoute, shape.CreateRouteRequest{RouteTableId: &table, DestinationCidrBlock: ptr(to(n).String()), GatewayId: &g})
		return err
	}, "RouteLimitExceeded: The maximum number of routes has been reached."}
}

func aclQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	return quota{maxACLs, 1, func(tx store.Tx, h vpc.Home, _ int) {
		tables.ACLs.Put(tx, &vpc.ACL{Home: h, ID: vpc.KindACL.NewID(tx.NewID()), VPC: v})
	}, func(int) error {
		_, err := sent(w, w.CreateNetworkAcl, shape.CreateNetworkAclRequest{VpcId: &v})
		return err
	},
		"NetworkAclLimitExceeded: The maximum number of network ACLs has been reached."}
}

func entryQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	acl := *try(w, w.CreateNetworkAcl, shape.CreateNetworkAclRequest{VpcId: &v}).NetworkAcl.NetworkAclId
	add := func(n int) error {
		_, err := sent(w, w.CreateNetworkAclEntry, shape.CreateNetworkAclEntryRequest{NetworkAclId: &acl, RuleNumber: ptr(int32(n + 1)), Egress: ptr(true), Protocol: ptr("-1"), RuleAction: ptr("allow"), CidrBlock: ptr("0.0.0.0/0")})
		return err
	}
	return quota{maxACLEntries, 0, func(tx store.Tx, h vpc.Home, n int) {
		a, _ := tables.ACLs.Get(tx, tables.Key(h, acl))
		next := *a
		next.Egress = append(slices.Clone(a.Egress), vpc.ACLEntry{Number: int32(n + 1), Match: vpc.AllTraffic, CIDR: vpc.Everywhere})
		tables.ACLs.Put(tx, &next)
	}, add, "NetworkAclEntryLimitExceeded: The maximum number of network ACL entries has been reached."}
}

func gatewayQuota(w *world) quota {
	w.standard()
	return quota{maxGateways, 1, func(tx store.Tx, h vpc.Home, _ int) {
		tables.InternetGateways.Put(tx, &vpc.InternetGateway{Home: h, ID: vpc.KindInternetGateway.NewID(tx.NewID())})
	}, func(int) error {
		_, err := sent(w, w.CreateInternetGateway, shape.CreateInternetGatewayRequest{})
		return err
	}, "InternetGatewayLimitExceeded: The maximum number of internet gateways has been reached."}
}

func natQuota(w *world) quota {
	s := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24")
	return quota{maxNATs, 0, func(tx store.Tx, h vpc.Home, _ int) {
		tables.NATGateways.Put(tx, &vpc.NATGateway{Home: h, ID: vpc.KindNATGateway.NewID(tx.NewID()), Subnet: s})
	}, func(int) error {
		_, err := sent(w, w.CreateNatGateway, shape.CreateNatGatewayRequest{SubnetId: &s, ConnectivityType: ptr("private")})
		return err
	}, fmt.Sprintf("NatGatewayLimitExceeded: Performing this operation would exceed the limit of %d NAT gateways", maxNATs)}
}

func addressQuota(w *world) quota {
	return quota{maxElastics, 0, func(tx store.Tx, h vpc.Home, n int) {
		tables.Elastics.Put(tx, &vpc.Elastic{Home: h, ID: vpc.KindElastic.NewID(tx.NewID()), Addr: vpc.Nth(w.Pool.Addr(), uint64(n))})
	}, func(int) error { _, err := sent(w, w.AllocateAddress, shape.AllocateAddressRequest{}); return err },
		"AddressLimitExceeded: The maximum number of addresses has been reached."}
}

func optionsQuota(w *world) quota {
	w.standard()
	return quota{maxDHCPOptions, 1, func(tx store.Tx, h vpc.Home, _ int) {
		tables.DHCPOptions.Put(tx, &vpc.DHCPOptions{Home: h, ID: vpc.KindDHCPOptions.NewID(tx.NewID())})
	}, func(int) error {
		_, err := sent(w, w.CreateDhcpOptions, shape.CreateDhcpOptionsRequest{DhcpConfigurations: []shape.NewDhcpConfiguration{{Key: ptr("domain-name"), Values: []string{"x"}}}})
		return err
	}, "DhcpOptionsLimitExceeded: The maximum number of DHCP options has been reached."}
}

func groupQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	return quota{maxGroups, 2, func(tx store.Tx, h vpc.Home, n int) {
		tables.SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: h, ID: vpc.KindGroup.NewID(tx.NewID()), VPC: v, Name: fmt.Sprintf("g%d", n)})
	}, func(n int) error {
		_, err := sent(w, w.CreateSecurityGroup, shape.CreateSecurityGroupRequest{VpcId: &v, GroupName: ptr(fmt.Sprintf("g%d", n)), Description: ptr("x")})
		return err
	}, "SecurityGroupLimitExceeded: The maximum number of security groups has been reached."}
}

func ruleQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	g := *try(w, w.CreateSecurityGroup, shape.CreateSecurityGroupRequest{VpcId: &v, GroupName: ptr("g"), Description: ptr("x")}).GroupId
	return quota{maxRules, 0, func(tx store.Tx, h vpc.Home, n int) {
		tables.Rules.Put(tx, &vpc.Rule{Home: h, ID: vpc.KindRule.NewID(tx.NewID()), Group: g, Match: vpc.Match{Protocol: protoTCP, From: int32(n), To: int32(n)}, Peer: vpc.Peer{CIDR: vpc.Everywhere}})
	}, func(n int) error {
		_, err := sent(w, w.AuthorizeSecurityGroupIngress, shape.AuthorizeSecurityGroupIngressRequest{GroupId: &g, IpPermissions: []shape.IpPermission{tcp(int32(n), "0.0.0.0/0")}})
		return err
	}, "RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been reached."}
}

func (w *world) block(id string, put func(v *vpc.VPC, n int)) func(store.Tx, vpc.Home, int) {
	return func(tx store.Tx, h vpc.Home, n int) {
		v, _ := tables.VPCs.Get(tx, tables.Key(h, id))
		next := *v
		put(&next, n)
		tables.VPCs.Put(tx, &next)
	}
}

func blockQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	cidr := func(n int) netip.Prefix { return netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", n+1)) }
	return quota{maxBlocks, 1, w.block(v, func(v *vpc.VPC, n int) { v.Blocks = append(slices.Clone(v.Blocks), vpc.Block{CIDR: cidr(n)}) }), func(n int) error {
		_, err := sent(w, w.AssociateVpcCidrBlock, shape.AssociateVpcCidrBlockRequest{VpcId: &v, CidrBlock: ptr(cidr(n).String())})
		return err
	}, fmt.Sprintf("CidrLimitExceeded: This network '%s' has met its maximum number of allowed CIDRs: %d", v, maxBlocks)}
}

func block6Quota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	return quota{maxBlocks6, 0, w.block(v, func(v *vpc.VPC, n int) {
		v.Blocks6 = append(slices.Clone(v.Blocks6), vpc.Block{CIDR: vpc.Local6(fmt.Sprintf("%012x", n))})
	}), func(int) error {
		_, err := sent(w, w.AssociateVpcCidrBlock, shape.AssociateVpcCidrBlockRequest{VpcId: &v, AmazonProvidedIpv6CidrBlock: ptr(true)})
		return err
	}, fmt.Sprintf("CidrLimitExceeded: This network '%s' has met its maximum number of allowed CIDRs: %d", v, maxBlocks6)}
}

func interfaceQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	s := w.subnet(v, "10.0.1.0/24")
	var ids []string
	for i := range tables.MaxGroups + 1 {
		ids = append(ids, *try(w, w.CreateSecurityGroup, shape.CreateSecurityGroupRequest{VpcId: &v, GroupName: ptr(fmt.Sprintf("g%d", i)), Description: ptr("x")}).GroupId)
	}
	return quota{tables.MaxGroups, tables.MaxGroups - 1, nil, func(n int) error {
		_, err := sent(w, w.CreateNetworkInterface, shape.CreateNetworkInterfaceRequest{SubnetId: &s, Groups: ids[:n+1]})
		return err
	}, "SecurityGroupsPerInterfaceLimitExceeded: The maximum number of security groups per interface has been reached."}
}

func privateQuota(w *world) quota {
	i := w.eni(w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24"))
	try(w, w.AssignPrivateIpAddresses, shape.AssignPrivateIpAddressesRequest{NetworkInterfaceId: &i.ID, SecondaryPrivateIpAddressCount: ptr(int32(tables.MaxPrivate - 2))})
	return quota{tables.MaxPrivate, tables.MaxPrivate - 1, nil, func(int) error {
		_, err := sent(w, w.AssignPrivateIpAddresses, shape.AssignPrivateIpAddressesRequest{NetworkInterfaceId: &i.ID, SecondaryPrivateIpAddressCount: ptr(int32(1))})
		return err
	}, fmt.Sprintf("PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit of %d.", tables.MaxPrivate)}
}

func tagQuota(w *world) quota {
	v := w.vpc("10.0.0.0/16")
	var first []string
	for i := range maxTags - 1 {
		first = append(first, fmt.Sprintf("k%d=v", i))
	}
	try(w, w.CreateTags, shape.CreateTagsRequest{Resources: []string{v}, Tags: pairs(first...)})
	return quota{maxTags, maxTags - 1, nil, func(n int) error {
		_, err := sent(w, w.CreateTags, shape.CreateTagsRequest{Resources: []string{v}, Tags: pairs(fmt.Sprintf("k%d=v", n))})
		return err
	}, "TagLimitExceeded: The maximum number of Tags for a resource has been reached."}
}

func filterQuota(w *world) quota {
	return quota{vpc.MaxFilterValues, vpc.MaxFilterValues - 1, nil, func(n int) error {
		f := filter("vpc-id", "a")
		f[0].Values = slices.Repeat([]string{"a"}, n+1)
		_, err := sent(w, w.DescribeVpcs, shape.DescribeVpcsRequest{Filters: f})
		return err
	}, "FilterLimitExceeded: The maximum number of filter values specified on a single call is 200"}
}
