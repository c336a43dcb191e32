package rules

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

// Link is the name of the router's end of an interface: as much of its id as a link's name holds.
func Link(id string) string {
	if digits, ok := strings.CutPrefix(id, "eni-"); ok && len(digits) >= 11 && strings.Trim(digits, "0123456789abcdef") == "" {
		return "eni-" + digits[:11]
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // a hash does not fail
	return "if-" + hex.EncodeToString(h.Sum(nil))[:12]
}

// Combination names the groups of an interface; interfaces with the same ones share its chains.
func Combination(groups []string) string {
	groups = slices.Sorted(slices.Values(groups))
	if len(groups) == 1 {
		return groups[0]
	}
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, groups) // a hash does not fail
	return fmt.Sprintf("all-%x", h.Sum64())
}

// Combined is the chains of a combination of several groups.
func Combined(groups []string) ruleset.Fragment {
	var f ruleset.Fragment
	if len(groups) < 2 {
		return f
	}
	for _, d := range []direction{outward, inward} {
		c := ruleset.Chain{Name: d.prefix + Combination(groups)}
		for _, g := range slices.Sorted(slices.Values(groups)) {
			c.Rules = append(c.Rules, jump(d.prefix+g))
		}
		f.Chains = append(f.Chains, c)
	}
	return f
}

// Interface is what an interface needs beside its groups.
func Interface(c *nodeconf.Resources, i nodeconf.Interface) (ruleset.Fragment, error) {
	var f ruleset.Fragment
	s, known := c.Subnets[i.Subnet]
	if !known || s.VPC != i.VPC || !s.CIDR.Addr().Is4() {
		return f, fmt.Errorf("rules: interface %s: no subnet %q", i.ID, i.Subnet)
	}
	if err := addressed(i); err != nil {
		return f, err
	}
	for _, g := range i.Groups {
		if _, known := c.Groups[g]; !known {
			return f, fmt.Errorf("rules: interface %s: no group %q", i.ID, g)
		}
	}
	guard, err := guard(i, s)
	if err != nil {
		return f, err
	}
	f.Chains = append(f.Chains, guard)
	name := string(linkName(Link(i.ID)))
	if i.Open && len(i.Groups) == 0 {
		f.Elements = append(f.Elements, ruleset.Element{Set: groupsOut, Key: name, Jump: openChain}, ruleset.Element{Set: groupsIn, Key: name, Jump: openChain})
	}
	if len(i.Groups) > 0 {
		comb := Combination(i.Groups)
		f.Elements = append(f.Elements,
			ruleset.Element{Set: groupsOut, Key: name, Jump: outward.prefix + comb},
			ruleset.Element{Set: groupsIn, Key: name, Jump: inward.prefix + comb})
	}
	for _, a := range i.Addresses {
		if !open(c.ACLs[s.ACL].Ingress) {
			f.Elements = append(f.Elements, ruleset.Element{Set: aclIn, Key: addr4(a), Jump: inChain(s.ID)})
		}
	}
	for _, p := range i.Public {
		f.Elements = append(f.Elements,
			ruleset.Element{Set: publicIn, Key: addr4(p.Public), Val: addr4(p.Private)},
			ruleset.Element{Set: publicOut, Key: addr4(p.Private), Val: addr4(p.Public)})
	}
	return f, nil
}

// Key is that of an interface's fragment.
func Key(id string) string { return "if/" + id }

// Shut keeps the link of an interface that is gone shut until the link itself is gone.
func Shut(id string) ruleset.Fragment {
	return ruleset.Fragment{Chains: []ruleset.Chain{ingress(id, drop)}}
}

func ingress(id string, rules ...ruleset.Rule) ruleset.Chain {
	return ruleset.Chain{Name: Link(id), Rules: rules, Hook: ruleset.Hook{
		Type: nftables.ChainTypeFilter, Hook: *nftables.ChainHookIngress, Priority: -500, Device: Link(id),
	}}
}

// guard lets an interface send what is its own and nothing else. Literals cost a third of what a look-up does.
func guard(i nodeconf.Interface, s nodeconf.Subnet) (ruleset.Chain, error) {
	mac, err := net.ParseMAC(i.MAC)
	if err != nil || len(mac) != 6 {
		return ruleset.Chain{}, fmt.Errorf("rules: interface %s: MAC %q", i.ID, i.MAC)
	}
	if len(i.Addresses) == 0 {
		return ruleset.Chain{}, fmt.Errorf("rules: interface %s has no address", i.ID)
	}
	c := ingress(i.ID)
	sent := rule(protocol(unix.ETH_P_IP), field(expr.PayloadBaseLLHeader, 6, mac))
	pass := rule(setMark(Mark(s.CIDR.Addr())), accept)
	for _, a := range i.Addresses {
		if i.SourceCheck {
			c.Rules = append(c.Rules, rule(sent, within(source, netip.PrefixFrom(a, 32)), pass))
		}
	}
	if !i.SourceCheck {
		c.Rules = append(c.Rules, rule(sent, pass))
	}
	asked := rule(protocol(unix.ETH_P_ARP), field(expr.PayloadBaseLLHeader, 6, mac), field(expr.PayloadBaseNetworkHeader, 8, mac))
	for _, a := range i.Addresses {
		if i.SourceCheck {
			c.Rules = append(c.Rules, rule(asked, field(expr.PayloadBaseNetworkHeader, 14, a.AsSlice()), accept))
		}
	}
	if !i.SourceCheck { // one that answers for others asks in their name; the router learns nothing from it
		c.Rules = append(c.Rules, rule(asked, accept))
	}
	c.Rules = append(c.Rules, guard6(i, mac)...)
	c.Rules = append(c.Rules, drop)
	return c, nil
}

// guard6 lets IPv6 pass from the interface's own addresses and the link-local one of its MAC.
func guard6(i nodeconf.Interface, mac net.HardwareAddr) []ruleset.Rule {
	if len(i.Addresses6) == 0 {
		return nil
	}
	local := netip.AddrFrom16([16]byte{0xfe, 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]})
	var out []ruleset.Rule
	for _, kind := range []byte{134, 137} { // router advertisement, redirect
		out = append(out, rule(protocol(unix.ETH_P_IPV6), metaIs(expr.MetaKeyL4PROTO, []byte{unix.IPPROTO_ICMPV6}),
			field(expr.PayloadBaseTransportHeader, 0, []byte{kind}), drop))
	}
	for _, a := range append(slices.Clone(i.Addresses6), local) {
		out = append(out, rule(protocol(unix.ETH_P_IPV6), field(expr.PayloadBaseLLHeader, 6, mac),
			field(expr.PayloadBaseNetworkHeader, 8, a.AsSlice()), accept))
	}
	return out
}

func protocol(etherType uint16) []expr.Any {
	return metaIs(expr.MetaKeyPROTOCOL, binaryutil.BigEndian.PutUint16(etherType))
}

func field(base expr.PayloadBase, offset uint32, value []byte) []expr.Any {
	return []expr.Any{&expr.Payload{DestRegister: reg, Base: base, Offset: offset, Len: uint32(len(value))}, is(value)}
}
