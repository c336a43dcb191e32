package rules

import (
	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
)

// Machine is the rules of the machine itself, where the other ends of the edges are, whose names begin with prefix. What comes from a
// router may go out, to other routers, and nowhere else: not to the machine, nor to what the machine's ports are published for on its bridge.
// What comes from outside reaches no router; the machine and its bridge do.
func Machine(prefix, bridge string) ruleset.Fragment {
	edgeIn, edgeOut := FromPrefixed(prefix), ToPrefixed(prefix)
	return ruleset.Fragment{Chains: []ruleset.Chain{
		{Name: "forward", Hook: filter(nftables.ChainHookForward, 0), Rules: []ruleset.Rule{
			rule(edgeOut, established(), accept),
			rule(edgeOut, edgeIn, accept),
			rule(edgeOut, from(bridge), accept),
			rule(edgeOut, drop),
			rule(edgeIn, to(bridge), established(), accept),
			rule(edgeIn, to(bridge), drop),
		}},
		{Name: "input", Hook: filter(nftables.ChainHookInput, 0), Rules: []ruleset.Rule{
			rule(edgeIn, established(), accept),
			rule(edgeIn, drop),
		}},
		{
			Name: "source", Hook: ruleset.Hook{Type: nftables.ChainTypeNAT, Hook: *nftables.ChainHookPostrouting, Priority: 100},
			Rules: []ruleset.Rule{rule(edgeIn, notTo(prefix), []expr.Any{&expr.Masq{}})},
		},
	}}
}

func notTo(prefix string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: reg}, &expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: []byte(prefix)}}
}
