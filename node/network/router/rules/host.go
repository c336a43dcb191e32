package rules

import (
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
)

// Machine is the rules of the machine itself, where the other ends of the edges are, whose names begin with prefix. What comes from a
// router may go out, to other routers, and nowhere else: not to the machine, nor to what the machine's ports are published for on its bridge.
// What comes from outside reaches no router, unless it is for the public addresses that others route here; the machine and its bridge do.
// What goes out has the machine's address, unless it has such a public one. The zero Prefix is for no such addresses.
func Machine(prefix, bridge string, routed netip.Prefix) ruleset.Fragment {
	edgeIn, edgeOut := FromPrefixed(prefix), ToPrefixed(prefix)
	forward := []ruleset.Rule{
		rule(edgeOut, established(), accept),
		rule(edgeOut, edgeIn, accept),
		rule(edgeOut, from(bridge), accept),
	}
	sources := []ruleset.Rule{rule(edgeIn, notTo(prefix), []expr.Any{&expr.Masq{}})}
	if routed.IsValid() {
		forward = append(forward, rule(edgeOut, within(destination, routed), accept))
		sources = slices.Insert(sources, 0, rule(edgeIn, within(source, routed), accept))
	}
	return ruleset.Fragment{Chains: []ruleset.Chain{
		{Name: "forward", Hook: filter(nftables.ChainHookForward, 0), Rules: append(forward,
			rule(edgeOut, drop),
			rule(edgeIn, to(bridge), established(), accept),
			rule(edgeIn, to(bridge), drop),
		)},
		{Name: "input", Hook: filter(nftables.ChainHookInput, 0), Rules: []ruleset.Rule{
			rule(edgeIn, established(), accept),
			rule(edgeIn, drop),
		}},
		{Name: "source", Hook: ruleset.Hook{Type: nftables.ChainTypeNAT, Hook: *nftables.ChainHookPostrouting, Priority: 100}, Rules: sources},
	}}
}

func notTo(prefix string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: reg}, &expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: []byte(prefix)}}
}
