package rules

import (
	"net/netip"

	"github.com/google/nftables"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

// Names of the maps that lead to the chains of network ACLs.
const (
	aclOut = "acl-out" // by mark: the subnet a packet comes from
	aclIn  = "acl-in"  // by address: of an interface here
)

var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// ACL is a subnet's network ACL: a chain for each direction that returns what passes and drops the rest. What an ACL cannot stop on AWS
// leaves first: traffic inside of the subnet, and the VPC's own resolver and metadata.
func ACL(s nodeconf.Subnet, a nodeconf.ACL, resolver netip.Addr) ruleset.Fragment {
	var f ruleset.Fragment
	if !open(a.Egress) {
		name := "acl-" + outward.prefix + s.ID
		rules := []ruleset.Rule{
			rule(within(destination, s.CIDR), leave), rule(within(destination, linkLocal), leave),
			rule(within(destination, netip.PrefixFrom(resolver, 32)), leave),
		}
		f.Chains = append(f.Chains, ruleset.Chain{Name: name, Rules: append(rules, entries(a.Egress, destination)...)})
		f.Elements = append(f.Elements, ruleset.Element{Set: aclOut, Key: string(markBytes(Mark(s.CIDR.Addr()))), Jump: name})
	}
	if !open(a.Ingress) {
		rules := []ruleset.Rule{rule(within(source, s.CIDR), leave)}
		f.Chains = append(f.Chains, ruleset.Chain{Name: inChain(s.ID), Rules: append(rules, entries(a.Ingress, source)...)})
	}
	return f
}

func inChain(subnet string) string { return "acl-" + inward.prefix + subnet }

// open says whether the first entry lets everything pass.
func open(es []nodeconf.Entry) bool {
	for _, e := range es {
		if e.CIDR.Addr().Is4() {
			return e.Allow && e.Protocol < 0 && e.CIDR.Bits() == 0
		}
	}
	return false
}

func entries(es []nodeconf.Entry, offset uint32) []ruleset.Rule {
	var out []ruleset.Rule
	for _, e := range es {
		if !e.CIDR.Addr().Is4() {
			continue
		}
		then := drop
		if e.Allow {
			then = leave
		}
		out = append(out, rule(within(offset, e.CIDR), matches(e.Match), then))
	}
	return append(out, drop)
}

func aclSets() []ruleset.Set {
	return []ruleset.Set{
		{Name: aclOut, Key: nftables.TypeMark, Native: true, Data: nftables.TypeVerdict},
		{Name: aclIn, Key: nftables.TypeIPAddr, Data: nftables.TypeVerdict},
	}
}
