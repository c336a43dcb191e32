package compile

import (
	"net/netip"

	"github.com/berth-ecs/berth/vpc"
)

// base is a small region where everything is in order: two VPCs of the same range, a public and a private subnet, a NAT gateway, groups that name each other.
func base() []any {
	cidr, addr := netip.MustParsePrefix, netip.MustParseAddr
	everywhere := vpc.Match{Protocol: -1, From: -1, To: -1}
	web := &vpc.Interface{
		Home: home, ID: "eni-1", VPC: "vpc-1", Subnet: "subnet-1", Node: "n1", MAC: "0a:00:00:00:00:01", Groups: []string{"sg-1"}, SourceCheck: true, Owner: "arn:task/web",
		Private: []vpc.Private{{Addr: addr("10.0.0.4"), Public: addr("198.18.0.4")}},
	}
	db := &vpc.Interface{
		Home: home, ID: "eni-2", VPC: "vpc-1", Subnet: "subnet-2", Node: "n2", MAC: "0a:00:00:00:00:02", Groups: []string{"sg-2"}, SourceCheck: true,
		Private: []vpc.Private{{Addr: addr("10.0.1.4")}, {Addr: addr("10.0.1.5")}}, IPv6: []netip.Addr{addr("fd00::4")},
	}
	twin := &vpc.Interface{
		Home: home, ID: "eni-3", VPC: "vpc-2", Subnet: "subnet-3", Node: "n1", MAC: "0a:00:00:00:00:03", Groups: []string{"sg-3"}, SourceCheck: true,
		Private: []vpc.Private{{Addr: addr("10.0.0.4")}},
	}
	nat := &vpc.Interface{Home: home, ID: "eni-4", VPC: "vpc-1", Subnet: "subnet-1", Type: "nat_gateway", Owner: "nat-1", Private: []vpc.Private{{Addr: addr("10.0.0.9")}}}
	return []any{
		&vpc.VPC{Home: home, ID: "vpc-1", Net: 1, Blocks: []vpc.Block{{CIDR: cidr("10.0.0.0/16")}}, MainTable: "rtb-1", MainACL: "acl-1", DHCPOptions: "default", DNSSupport: true},
		&vpc.VPC{Home: home, ID: "vpc-2", Net: 2, Blocks: []vpc.Block{{CIDR: cidr("10.0.0.0/16")}}, MainTable: "rtb-3", MainACL: "acl-3", DHCPOptions: "dopt-1"},
		&vpc.DHCPOptions{Home: home, ID: "dopt-1", Options: []vpc.DHCPOption{{Key: "domain-name", Values: []string{"example.test"}}, {Key: "domain-name-servers", Values: []string{"10.0.0.53"}}}},
		&vpc.Subnet{Home: home, ID: "subnet-1", VPC: "vpc-1", CIDR: cidr("10.0.0.0/24")},
		&vpc.Subnet{Home: home, ID: "subnet-2", VPC: "vpc-1", CIDR: cidr("10.0.1.0/24"), Blocks6: []vpc.Block{{CIDR: cidr("fd00::/64")}}},
		&vpc.Subnet{Home: home, ID: "subnet-3", VPC: "vpc-2", CIDR: cidr("10.0.0.0/24")},
		&vpc.RouteTable{Home: home, ID: "rtb-1", VPC: "vpc-1", Routes: []vpc.Route{{Destination: cidr("0.0.0.0/0"), Target: "igw-1"}}},
		&vpc.RouteTable{Home: home, ID: "rtb-2", VPC: "vpc-1", Routes: []vpc.Route{{Destination: cidr("0.0.0.0/0"), Target: "nat-1"}, {PrefixList: "pl-1", Target: "eni-1"}}},
		&vpc.RouteTable{Home: home, ID: "rtb-3", VPC: "vpc-2", Routes: []vpc.Route{{Destination: cidr("0.0.0.0/0"), Target: "igw-2"}, {Destination: cidr("203.0.113.0/24"), Target: "pcx-1"}}},
		&vpc.Association{Home: home, ID: "rtbassoc-1", Kind: "route-table", Subnet: "subnet-2", Target: "rtb-2"},
		&vpc.Association{Home: home, ID: "aclassoc-1", Kind: "network-acl", Subnet: "subnet-2", Target: "acl-2"},
		&vpc.ACL{Home: home, ID: "acl-1", VPC: "vpc-1", Ingress: []vpc.ACLEntry{{Number: 100, Match: everywhere, CIDR: cidr("0.0.0.0/0"), Allow: true}}, Egress: []vpc.ACLEntry{{Number: 100, Match: everywhere, CIDR: cidr("0.0.0.0/0"), Allow: true}}},
		&vpc.ACL{Home: home, ID: "acl-2", VPC: "vpc-1", Ingress: []vpc.ACLEntry{
			{Number: 200, Match: vpc.Match{Protocol: 6, From: 1024, To: 65535}, CIDR: cidr("0.0.0.0/0"), Allow: true}, {Number: 100, Match: everywhere, CIDR: cidr("10.0.0.0/16"), Allow: true}}},
		&vpc.ACL{Home: home, ID: "acl-3", VPC: "vpc-2"},
		&vpc.InternetGateway{Home: home, ID: "igw-1", VPC: "vpc-1"},
		&vpc.InternetGateway{Home: home, ID: "igw-2"},
		&vpc.NATGateway{Home: home, ID: "nat-1", VPC: "vpc-1", Subnet: "subnet-1", Connectivity: "public", Interface: "eni-4", Addresses: []vpc.NATAddress{{Private: addr("10.0.0.9"), Public: addr("198.18.0.9")}}},
		&vpc.SecurityGroup{Home: home, ID: "sg-1", VPC: "vpc-1"},
		&vpc.SecurityGroup{Home: home, ID: "sg-2", VPC: "vpc-1"},
		&vpc.SecurityGroup{Home: home, ID: "sg-3", VPC: "vpc-2"},
		&vpc.SecurityGroup{Home: home, ID: "sg-4", VPC: "vpc-2"},
		&vpc.Rule{Home: home, ID: "sgr-1", Group: "sg-1", Match: vpc.Match{Protocol: 6, From: 80, To: 80}, Peer: vpc.Peer{CIDR: cidr("0.0.0.0/0")}},
		&vpc.Rule{Home: home, ID: "sgr-2", Group: "sg-1", Egress: true, Match: everywhere, Peer: vpc.Peer{CIDR: cidr("0.0.0.0/0")}},
		&vpc.Rule{Home: home, ID: "sgr-3", Group: "sg-2", Match: vpc.Match{Protocol: 6, From: 5432, To: 5432}, Peer: vpc.Peer{Group: "sg-1"}},
		&vpc.Rule{Home: home, ID: "sgr-4", Group: "sg-3", Match: everywhere, Peer: vpc.Peer{Group: "sg-3"}},
		web, db, twin, nat,
	}
}
