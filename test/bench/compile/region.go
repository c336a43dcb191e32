package main

import (
	"fmt"
	"net/netip"

	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
)

// region is the size of a region. Nodes are shared out among VPCs.
type region struct {
	name           string
	vpcs, nodes    int
	services, each int // of a VPC; tasks of a service
	machines       bool
	alone          bool // without the arm that compiles everything
}

var home = vpc.Home{Account: "000000000000", Region: "us-east-1"}

func address(subnet, n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(subnet<<2 | n>>16), byte(n >> 8), byte(n)})
}

func (r region) node(v, n int) string {
	share := r.nodes / r.vpcs
	return fmt.Sprintf("node-%d", v*share+n%share)
}

// index is empty, and knows the nodes' addresses if they have any.
func (r region) index() *compile.Index {
	x := compile.New(compile.Settings{})
	for n := range r.nodes {
		if r.machines {
			x.SetNode(compile.NodeKey(home, fmt.Sprintf("node-%d", n)), netip.AddrFrom4([4]byte{192, 168, byte(n >> 8), byte(n)}))
		}
	}
	return x
}

func (r region) records() []any {
	var out []any
	for v := range r.vpcs {
		out = append(out, network(v)...)
		for s := range r.services {
			out = append(out, service(v, s, (s+r.services-1)%r.services)...)
			for n := range r.each {
				out = append(out, r.task(v, s, n))
			}
		}
	}
	return out
}

// network is a VPC with a public subnet, where its NAT gateway is, and a private one, where tasks are.
func network(v int) []any {
	id := fmt.Sprintf("vpc-%d", v)
	all := netip.MustParsePrefix("0.0.0.0/0")
	everything := vpc.Match{Protocol: -1, From: -1, To: -1}
	entries := []vpc.ACLEntry{{Number: 100, Match: everything, CIDR: all, Allow: true}}
	return []any{
		&vpc.VPC{Home: home, ID: id, Net: uint32(v + 1), Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/8")}}, MainTable: "rtb-private-" + id, MainACL: "acl-" + id, DNSSupport: true},
		&vpc.Subnet{Home: home, ID: "subnet-public-" + id, VPC: id, CIDR: netip.MustParsePrefix("10.252.0.0/16")},
		&vpc.Subnet{Home: home, ID: "subnet-private-" + id, VPC: id, CIDR: netip.MustParsePrefix("10.0.0.0/14")},
		&vpc.RouteTable{Home: home, ID: "rtb-public-" + id, VPC: id, Routes: []vpc.Route{{Destination: all, Target: "igw-" + id}}},
		&vpc.RouteTable{Home: home, ID: "rtb-private-" + id, VPC: id, Routes: []vpc.Route{{Destination: all, Target: "nat-" + id}}},
		&vpc.Association{Home: home, ID: "rtbassoc-" + id, Kind: "route-table", Subnet: "subnet-public-" + id, Target: "rtb-public-" + id},
		&vpc.ACL{Home: home, ID: "acl-" + id, VPC: id, Ingress: entries, Egress: entries},
		&vpc.InternetGateway{Home: home, ID: "igw-" + id, VPC: id},
		&vpc.NATGateway{Home: home, ID: "nat-" + id, VPC: id, Subnet: "subnet-public-" + id, Connectivity: "public",
			Addresses: []vpc.NATAddress{{Private: address(63, 4), Public: netip.AddrFrom4([4]byte{198, 18, byte(v >> 8), byte(v)})}}},
	}
}

// service is a group with four rules.
func service(v, s, before int) []any {
	group := fmt.Sprintf("sg-%d-%d", v, s)
	rule := func(n int, egress bool, m vpc.Match, p vpc.Peer) *vpc.Rule {
		return &vpc.Rule{Home: home, ID: fmt.Sprintf("sgr-%d-%d-%d", v, s, n), Group: group, Egress: egress, Match: m, Peer: p}
	}
	return []any{
		&vpc.SecurityGroup{Home: home, ID: group, VPC: fmt.Sprintf("vpc-%d", v)},
		rule(0, false, vpc.Match{Protocol: 6, From: 8080, To: 8080}, vpc.Peer{Group: fmt.Sprintf("sg-%d-%d", v, before)}),
		rule(1, false, vpc.Match{Protocol: 6, From: 443, To: 443}, vpc.Peer{CIDR: netip.MustParsePrefix("10.252.0.0/16")}),
		rule(2, false, vpc.Match{Protocol: 1, From: -1, To: -1}, vpc.Peer{CIDR: netip.MustParsePrefix("10.0.0.0/8")}),
		rule(3, true, vpc.Match{Protocol: -1, From: -1, To: -1}, vpc.Peer{CIDR: netip.MustParsePrefix("0.0.0.0/0")}),
	}
}

// task is the interface of the nth task of a service.
func (r region) task(v, s, n int) *vpc.Interface {
	at := s*r.each + n
	return &vpc.Interface{
		Home: home, ID: fmt.Sprintf("eni-%d-%d", v, at), VPC: fmt.Sprintf("vpc-%d", v), Subnet: fmt.Sprintf("subnet-private-vpc-%d", v), Node: r.node(v, at),
		MAC: fmt.Sprintf("0a:00:00:%02x:%02x:%02x", at>>16, at>>8&255, at&255), Type: "interface", SourceCheck: true, Groups: []string{fmt.Sprintf("sg-%d-%d", v, s)},
		Private: []vpc.Private{{Addr: address(0, at)}}, Owner: fmt.Sprintf("arn:aws:ecs:us-east-1:000000000000:task/c%d/%032x", v, at),
	}
}
