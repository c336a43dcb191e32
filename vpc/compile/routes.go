package compile

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// Routes are the routes of a table, one for a destination, with what becomes of a packet that takes it.
func (r *Records) Routes(t *vpc.RouteTable, s Settings) []nodeconf.Route {
	var out []nodeconf.Route
	for to, route := range destinations(t, s) {
		kind, target := r.resolve(t, to, route.Target, s)
		out = append(out, nodeconf.Route{Destination: to, Kind: kind, Target: target})
	}
	slices.SortFunc(out, func(a, b nodeconf.Route) int { return a.Destination.Compare(b.Destination) })
	return out
}

// destinations spells out prefix lists. A route that names its destination wins over a list that has it, and of lists the first.
// The local route follows the VPC's blocks and is not one of a node's.
func destinations(t *vpc.RouteTable, s Settings) map[netip.Prefix]vpc.Route {
	out := map[netip.Prefix]vpc.Route{}
	for _, route := range t.Routes {
		if route.PrefixList == "" && route.Target != "local" && route.Destination.IsValid() {
			out[route.Destination.Masked()] = route
		}
	}
	for _, route := range t.Routes {
		if route.PrefixList == "" {
			continue
		}
		for _, p := range s.prefixes(t.Region, route.PrefixList) {
			if _, taken := out[p.Masked()]; !taken && p.IsValid() {
				out[p.Masked()] = route
			}
		}
	}
	return out
}

// resolve says where a route leads now.
func (r *Records) resolve(t *vpc.RouteTable, to netip.Prefix, target string, s Settings) (kind, id string) {
	switch prefix, _, _ := strings.Cut(target, "-"); prefix {
	case "igw":
		if r.attached(target, t.VPC) {
			return nodeconf.ToInternet, target
		}
	case "nat":
		if n := r.NATs[target]; n != nil && n.VPC == t.VPC && to.Addr().Is4() && r.translates(n, to, s) {
			return nodeconf.ToNAT, target
		}
	case "eni":
		if i := r.Interfaces[target]; i != nil && i.VPC == t.VPC && i.Node != "" && r.whole(i) {
			return nodeconf.ToInterface, target
		}
	}
	return nodeconf.Blackhole, target
}

func (r *Records) attached(gateway, vpcID string) bool {
	g := r.Gateways[gateway]
	return g != nil && vpcID != "" && g.VPC == vpcID
}

// translates says whether a NAT gateway gets packets of a destination out: it has a public address, and the table of its own subnet leads
// to the internet gateway. A private one would lead to other VPCs and networks on premises; there is no way to those.
func (r *Records) translates(n *vpc.NATGateway, to netip.Prefix, s Settings) bool {
	subnet := r.Subnets[n.Subnet]
	if !n.DeletedAt.IsZero() || n.Connectivity == "private" || len(n.Addresses) == 0 || !n.Addresses[0].Public.IsValid() || subnet == nil || subnet.VPC != n.VPC {
		return false
	}
	t := r.TableOf(n.Subnet)
	if t == nil {
		return false
	}
	best, target := -1, ""
	for p, route := range destinations(t, s) {
		if p.Bits() > best && p.Bits() <= to.Bits() && p.Contains(to.Addr()) {
			best, target = p.Bits(), route.Target
		}
	}
	return r.attached(target, n.VPC)
}
