package rules

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

// Edge is the router's link to the machine.
const Edge = "edge"

// Plain is the mark of a packet that leaves and is of a known connection that is not translated. No subnet begins at it.
const Plain = 0x7fbe0001

// Names of the maps that lead to the chains of groups.
const (
	groupsOut = "groups-out" // by the interface a packet comes from
	groupsIn  = "groups-in"  // by the one it goes to
	openChain = "open"       // where an interface leads that has no groups because everything passes
	spent     = "spent"      // interfaces that have as many flows as one may have
)

func filter(hook *nftables.ChainHook, priority nftables.ChainPriority) ruleset.Hook {
	return ruleset.Hook{Type: nftables.ChainTypeFilter, Hook: *hook, Priority: priority}
}

// Sets are the sets and maps that a router has whatever is in them.
func Sets() ruleset.Fragment {
	sets := append(aclSets(), natSets()...)
	return ruleset.Fragment{Sets: append(sets,
		ruleset.Set{Name: groupsOut, Key: nftables.TypeIFName, Native: true, Data: nftables.TypeVerdict},
		ruleset.Set{Name: groupsIn, Key: nftables.TypeIFName, Native: true, Data: nftables.TypeVerdict},
		ruleset.Set{Name: spent, Key: nftables.TypeIFName, Native: true},
		ruleset.Set{Name: routesMap, Key: routesKey, Data: nftables.TypeMark, Interval: true},
	)}
}

// VPC are the chains of a router. Inside of the VPC a packet of a known connection costs a comparison and its state.
func VPC(v nodeconf.VPC) ruleset.Fragment {
	return ruleset.Fragment{Chains: []ruleset.Chain{
		{Name: "fresh", Rules: []ruleset.Rule{
			rule([]expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: word0}, member(spent)}, drop),
			rule([]expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: word0}, choose(groupsOut)}),
			drop,
		}},
		{Name: "routed", Rules: []ruleset.Rule{
			rule([]expr.Any{&expr.Meta{Key: expr.MetaKeyMARK, Register: word0}, choose(natThere)}),
			rule(established(), accept),
			goTo("fresh"),
		}},
		{Name: openChain, Rules: []ruleset.Rule{rule(accept)}},
		{Name: "arrived", Rules: arrived(v)},
		{Name: "from", Hook: filter(nftables.ChainHookPrerouting, -150), Rules: fromRules(v)},
		{Name: "to", Hook: filter(nftables.ChainHookPostrouting, 150), Rules: toRules()},
		// Nothing that came from the machine or from another node is for the router itself.
		{Name: "self", Hook: filter(nftables.ChainHookInput, 0), Rules: []ruleset.Rule{rule(from(Edge), drop), rule(from(Overlay), drop)}},
	}}
}

// Spent keeps an interface from beginning flows.
func Spent(id string) ruleset.Fragment {
	return ruleset.Fragment{Elements: []ruleset.Element{{Set: spent, Key: string(linkName(Link(id)))}}}
}

// SpentKey is that of this fragment.
func SpentKey(id string) string { return "spent/" + id }

func each(v nodeconf.VPC, f func(netip.Prefix) ruleset.Rule) []ruleset.Rule {
	var out []ruleset.Rule
	for _, p := range v.CIDRs {
		if p.Addr().Is4() {
			out = append(out, f(p))
		}
	}
	return out
}

func fromRules(v nodeconf.VPC) []ruleset.Rule {
	rules := each(v, func(p netip.Prefix) ruleset.Rule { return rule(within(destination, p), established(), accept) })
	rules = append(rules,
		rule(from(Edge), goTo("arrived")),
		rule(ct(expr.CtKeySTATE, expr.CtStateBitINVALID), drop),
		rule(toSelf(), accept), // gateways, the resolver and metadata, whatever groups say
	)
	rules = append(rules, each(v, func(p netip.Prefix) ruleset.Rule { return rule(within(destination, p), goTo("fresh")) })...)
	return append(rules,
		rule([]expr.Any{
			&expr.Meta{Key: expr.MetaKeyMARK, Register: word0}, loadAddr(word0+1, destination), mapped(routesMap),
			&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: word0},
		}, goTo("routed")),
		drop)
}

// arrived is what comes from the machine: for public addresses only. Answers to a NAT gateway get its mark.
func arrived(v nodeconf.VPC) []ruleset.Rule {
	rules := []ruleset.Rule{rule(ct(expr.CtKeySTATE, expr.CtStateBitINVALID), drop)}
	rules = append(rules, each(v, func(p netip.Prefix) ruleset.Rule { return rule(within(destination, p), drop) })...)
	return append(rules,
		rule([]expr.Any{
			loadAddr(word0, destination), mapped(natIn), &expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: word0},
		}),
		accept)
}

func toRules() []ruleset.Rule {
	return []ruleset.Rule{
		rule(established(), ctBits(expr.CtKeySTATUS, statusSNAT|statusDNAT, expr.CmpOpEq), setMark(Plain), accept),
		rule(established(), accept),
		rule(metaIs(expr.MetaKeyMARK, markBytes(toInternet)), ctBits(expr.CtKeySTATUS, statusSNAT, expr.CmpOpEq), drop), // no public address
		rule(to(Edge), ctBits(expr.CtKeySTATUS, statusSNAT, expr.CmpOpEq), drop),
		rule(to(Edge), notFrom(Edge), accept),
		rule([]expr.Any{&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: word0}, choose(groupsIn)}),
		drop,
	}
}

// ACLs are the hooks that every packet passes once a network ACL does not let everything pass.
func ACLs() ruleset.Fragment {
	return ruleset.Fragment{Chains: []ruleset.Chain{{
		Name: "acl", Hook: filter(nftables.ChainHookPrerouting, -300), Rules: []ruleset.Rule{
			rule([]expr.Any{&expr.Meta{Key: expr.MetaKeyMARK, Register: word0}, choose(aclOut)}),
			rule([]expr.Any{loadAddr(word0, destination), choose(aclIn)}),
		},
	}}}
}

// LateACLs is for destinations that a translation tells.
func LateACLs() ruleset.Fragment {
	return ruleset.Fragment{Chains: []ruleset.Chain{{
		Name: "acl-late", Hook: filter(nftables.ChainHookPostrouting, 140), Rules: []ruleset.Rule{
			rule(ctBits(expr.CtKeySTATUS, statusSNAT|statusDNAT, expr.CmpOpEq), accept),
			rule(from(Edge), []expr.Any{&expr.Meta{Key: expr.MetaKeyMARK, Register: word0}, choose(natBack)}),
			rule([]expr.Any{loadAddr(word0, destination), choose(aclIn)}),
		},
	}}}
}
