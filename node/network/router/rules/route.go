package rules

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/google/nftables"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

// routesMap leads from a subnet's mark and a destination outside of the VPC to the mark of the next hop; what is not in it is dropped.
const routesMap = "routes"

// toInternet is the next hop of what goes to the internet gateway. Other hops' marks are private addresses: a NAT gateway's, or that of
// the interface a route names.
const toInternet = 1

// Host is the machine's address at each router's edge: connections that the machine itself makes come from it.
var Host = netip.MustParseAddr("169.254.64.1")

// never are destinations that no route table leads to.
var never = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), linkLocal, netip.MustParsePrefix("224.0.0.0/3"),
}

// span is a range of destinations and the route it takes.
type span struct {
	first, last uint32
	route       nodeconf.Route
}

// flatten makes ranges of routes: disjoint ones, in order, each with the longest prefix's route.
func flatten(routes []nodeconf.Route) []span {
	type claim struct {
		span
		bits int
	}
	var claims []claim
	cuts := []uint64{}
	put := func(p netip.Prefix, bits int, r nodeconf.Route) {
		first, last := prefixOf(p)
		claims = append(claims, claim{span{Mark(first), Mark(last), r}, bits})
		cuts = append(cuts, uint64(Mark(first)), uint64(Mark(last))+1)
	}
	for _, r := range routes {
		if r.Destination.Addr().Is4() {
			put(r.Destination, r.Destination.Bits(), r)
		}
	}
	for _, p := range never {
		put(p, 33, nodeconf.Route{Kind: nodeconf.Blackhole})
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	slices.SortStableFunc(claims, func(a, b claim) int { return cmp.Compare(b.bits, a.bits) })
	var out []span
	for i := 0; i+1 < len(cuts); i++ {
		first, last := uint32(cuts[i]), uint32(cuts[i+1]-1)
		at := slices.IndexFunc(claims, func(c claim) bool { return c.first <= first && last <= c.last })
		if at < 0 || claims[at].route.Kind == nodeconf.Blackhole {
			continue
		}
		if n := len(out) - 1; n >= 0 && out[n].last+1 == first && out[n].route == claims[at].route {
			out[n].last = last
			continue
		}
		out = append(out, span{first, last, claims[at].route})
	}
	return out
}

// cut is the part of spans that lies in one.
func cut(spans []span, within span) []span {
	var out []span
	for _, s := range spans {
		s.first, s.last = max(s.first, within.first), min(s.last, within.last)
		if s.first <= s.last {
			out = append(out, s)
		}
	}
	return out
}

// Routes are the elements of a subnet's route table.
func Routes(c *nodeconf.Resources, s nodeconf.Subnet) ruleset.Fragment {
	var f ruleset.Fragment
	mark := string(markBytes(Mark(s.CIDR.Addr())))
	put := func(first, last, hop uint32) {
		f.Elements = append(f.Elements, ruleset.Element{Set: routesMap, Key: mark + unmark(first), End: mark + unmark(last), Val: string(markBytes(hop))})
	}
	gateway := false
	for _, sp := range flatten(c.RouteTables[s.RouteTable].Routes) {
		for _, h := range hops(c, sp) {
			put(h.first, h.last, h.mark)
			gateway = gateway || h.mark == toInternet
		}
	}
	if gateway { // the answers to the machine's own connections take the way those came
		put(Mark(Host), Mark(Host), toInternet)
	}
	return f
}

type hop struct {
	first, last, mark uint32
}

// hops is where a range goes: nowhere when what the route names is not there. What a NAT gateway sends takes its own subnet's routes, so
// that only the ranges remain that lead on from there.
func hops(c *nodeconf.Resources, s span) []hop {
	switch s.route.Kind {
	case nodeconf.ToInternet:
		return []hop{{s.first, s.last, toInternet}}
	case nodeconf.ToInterface:
		i, here := c.Interfaces[s.route.Target]
		if !here || i.SourceCheck || len(i.Addresses) == 0 || !i.Addresses[0].Is4() {
			return nil
		}
		return []hop{{s.first, s.last, Mark(i.Addresses[0])}}
	case nodeconf.ToNAT:
		n, known := c.NATs[s.route.Target]
		if !known || !n.Public.Is4() || !n.Private.Is4() {
			return nil
		}
		home, known := c.Subnets[n.Subnet]
		if !known {
			return []hop{{s.first, s.last, Mark(n.Private)}}
		}
		var out []hop
		for _, on := range cut(flatten(c.RouteTables[home.RouteTable].Routes), s) {
			if on.route.Kind == nodeconf.ToInternet {
				out = append(out, hop{on.first, on.last, Mark(n.Private)})
			}
		}
		return out
	}
	return nil
}

// unmark is the address of a number, as a key has it.
func unmark(m uint32) string {
	return string([]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)})
}

var routesKey = nftables.MustConcatSetType(nftables.TypeMark, nftables.TypeIPAddr)
