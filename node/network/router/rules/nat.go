package rules

import (
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

// Names of the maps of translations.
const (
	publicIn  = "public-in"  // public to private
	publicOut = "public-out" // private to public
	natOut    = "nat-out"    // mark of a NAT gateway to its public address
	natIn     = "nat-in"     // public address of a NAT gateway to its mark
	natThere  = "nat-there"  // mark to the gateway's subnet's ACL, for what it sends
	natBack   = "nat-back"   // the same for answers
)

func natSets() []ruleset.Set {
	return []ruleset.Set{
		{Name: publicIn, Key: nftables.TypeIPAddr, Data: nftables.TypeIPAddr},
		{Name: publicOut, Key: nftables.TypeIPAddr, Data: nftables.TypeIPAddr},
		{Name: natOut, Key: nftables.TypeMark, Native: true, Data: nftables.TypeIPAddr},
		{Name: natIn, Key: nftables.TypeIPAddr, Data: nftables.TypeMark},
		{Name: natThere, Key: nftables.TypeMark, Native: true, Data: nftables.TypeVerdict},
		{Name: natBack, Key: nftables.TypeMark, Native: true, Data: nftables.TypeVerdict},
	}
}

// Translations are the hooks that every connection of the router passes once a VPC has something public.
func Translations() ruleset.Fragment {
	return ruleset.Fragment{Chains: []ruleset.Chain{
		{
			Name: "nat-prerouting", Hook: ruleset.Hook{Type: nftables.ChainTypeNAT, Hook: *nftables.ChainHookPrerouting, Priority: -100},
			Rules: []ruleset.Rule{rule([]expr.Any{loadAddr(word0, destination), mapped(publicIn), translate(expr.NATTypeDestNAT)})},
		},
		{
			Name: "nat-postrouting", Hook: ruleset.Hook{Type: nftables.ChainTypeNAT, Hook: *nftables.ChainHookPostrouting, Priority: 100},
			Rules: []ruleset.Rule{
				rule(notFrom(Edge), []expr.Any{&expr.Meta{Key: expr.MetaKeyMARK, Register: word0}, mapped(natOut), translate(expr.NATTypeSourceNAT)}),
				rule(metaIs(expr.MetaKeyMARK, markBytes(toInternet)), []expr.Any{loadAddr(word0, source), mapped(publicOut), translate(expr.NATTypeSourceNAT)}),
			},
		},
	}}
}

// mapped replaces the loaded key by its value; what is not in the map does not match.
func mapped(set string) expr.Any {
	return &expr.Lookup{SourceRegister: word0, DestRegister: word0, IsDestRegSet: true, SetName: set}
}

func translate(kind expr.NATType) expr.Any {
	return &expr.NAT{Type: kind, Family: unix.NFPROTO_IPV4, RegAddrMin: word0}
}

// NAT is a NAT gateway. It has no interface on a node: packets are translated where they come from, as if they had been in its subnet.
func NAT(c *nodeconf.Resources, n nodeconf.NAT) ruleset.Fragment {
	var f ruleset.Fragment
	if !n.Public.Is4() {
		return f
	}
	mark, public := string(markBytes(Mark(n.Private))), addr4(n.Public)
	f.Elements = append(f.Elements,
		ruleset.Element{Set: natOut, Key: mark, Val: public},
		ruleset.Element{Set: natIn, Key: public, Val: mark})
	home, known := c.Subnets[n.Subnet]
	if !known {
		return f
	}
	acl := c.ACLs[home.ACL]
	if open(acl.Egress) && open(acl.Ingress) {
		return f
	}
	name := "nat-" + n.ID
	f.Chains = append(f.Chains, ruleset.Chain{Name: name, Rules: natACL(home, acl)})
	for _, set := range []string{natThere, natBack} {
		f.Elements = append(f.Elements, ruleset.Element{Set: set, Key: mark, Jump: name})
	}
	return f
}

// natACL lets a packet into the gateway's subnet and out of it again.
func natACL(home nodeconf.Subnet, acl nodeconf.ACL) []ruleset.Rule {
	var out []ruleset.Rule
	if !open(acl.Ingress) {
		out = append(out, rule(jump(inChain(home.ID))))
	}
	if !open(acl.Egress) {
		out = append(out, rule(jump("acl-"+outward.prefix+home.ID)))
	}
	return out
}
