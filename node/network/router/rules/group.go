package rules

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
	"github.com/berth-ecs/berth/nodeconf"
)

// direction is one of a group's two: the peer's address is at offset.
type direction struct {
	prefix string
	offset uint32
}

var (
	outward = direction{"out-", destination}
	inward  = direction{"in-", source}
)

var (
	portsKey = nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetProto, nftables.TypeInetService)
	typesKey = nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService)
	protoKey = nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetProto)
)

func membersOf(group string) string { return "members-" + group }

// Members is the set of the addresses that a group's members have, on whichever node.
func Members(group string) ruleset.Fragment {
	return ruleset.Fragment{Sets: []ruleset.Set{{Name: membersOf(group), Key: nftables.TypeIPAddr}}}
}

// Member is an element of that set.
func Member(m nodeconf.Member) ruleset.Fragment {
	if !m.Addr.Is4() {
		return ruleset.Fragment{}
	}
	return ruleset.Fragment{Elements: []ruleset.Element{{Set: membersOf(m.Group), Key: addr4(m.Addr)}}}
}

// Group is a security group's two chains; they accept, or return.
func Group(g nodeconf.Group) ruleset.Fragment {
	var f ruleset.Fragment
	for _, side := range []struct {
		direction
		allows []nodeconf.Allow
	}{{outward, g.Egress}, {inward, g.Ingress}} {
		s := groupSide{direction: side.direction, name: side.prefix + g.ID}
		for _, a := range side.allows {
			s.add(a)
		}
		s.finish(&f)
	}
	return f
}

// groupSide collects a direction's address ranges in four sets, so that a packet costs four look-ups at most: one of ports, one of
// ICMP types and codes, one of other protocols, one of every protocol. Only ranges of the same set are disjoint.
type groupSide struct {
	direction
	name                         string
	ports, types, protos, always []ruleset.Element
	rules                        []ruleset.Rule // of peers that are groups
}

func (s *groupSide) add(a nodeconf.Allow) {
	switch {
	case a.Group != "":
		peer := []expr.Any{loadAddr(word0, s.offset), member(membersOf(a.Group))}
		s.rules = append(s.rules, rule(peer, matches(a.Match), accept))
	case !a.First.Is4() || !a.Last.Is4():
	case a.Protocol < 0:
		s.always = append(s.always, s.element(".all", addr4(a.First)+byte4(0), addr4(a.Last)+byte4(255)))
	case a.Protocol == tcp || a.Protocol == udp:
		first, last := portRange(a.Match)
		p := byte4(int(a.Protocol))
		s.ports = append(s.ports, s.element(".ports", addr4(a.First)+p+be16(first), addr4(a.Last)+p+be16(last)))
	case a.Protocol == icmp:
		first, last := typeRange(a.Match)
		s.types = append(s.types, s.element(".icmp", addr4(a.First)+be16(first), addr4(a.Last)+be16(last)))
	default:
		p := byte4(int(a.Protocol))
		s.protos = append(s.protos, s.element(".protocols", addr4(a.First)+p, addr4(a.Last)+p))
	}
}

func (s *groupSide) element(set, first, last string) ruleset.Element {
	return ruleset.Element{Set: s.name + set, Key: first, End: last}
}

func (s *groupSide) finish(f *ruleset.Fragment) {
	peer := loadAddr(word0, s.offset)
	var rules []ruleset.Rule
	for _, part := range []struct {
		elements []ruleset.Element
		key      nftables.SetDatatype
		load     []expr.Any
	}{
		{s.ports, portsKey, []expr.Any{peer, loadProto(word0 + 1), loadTransport(word0+2, 2)}},
		{s.types, typesKey, append(metaIs(expr.MetaKeyL4PROTO, []byte{icmp}), peer, loadTransport(word0+1, 0))},
		{s.protos, protoKey, []expr.Any{peer, loadProto(word0 + 1)}},
		{s.always, protoKey, []expr.Any{peer, loadProto(word0 + 1)}},
	} {
		if len(part.elements) == 0 {
			continue
		}
		set := part.elements[0].Set
		f.Sets = append(f.Sets, ruleset.Set{Name: set, Key: part.key, Interval: true})
		f.Elements = append(f.Elements, part.elements...)
		rules = append(rules, rule(part.load, []expr.Any{member(set)}, accept))
	}
	f.Chains = append(f.Chains, ruleset.Chain{Name: s.name, Rules: append(rules, s.rules...)})
}

// portRange of a match on TCP or UDP.
func portRange(m nodeconf.Match) (first, last int) {
	if m.From < 0 || m.To < 0 {
		return 0, 65535
	}
	return int(m.From), int(m.To)
}

// typeRange is ICMP's type and code read as one number.
func typeRange(m nodeconf.Match) (first, last int) {
	switch {
	case m.From < 0:
		return 0, 65535
	case m.To < 0:
		return int(m.From) << 8, int(m.From)<<8 | 255
	}
	return int(m.From)<<8 | int(m.To), int(m.From)<<8 | int(m.To)
}

// matches is a match in literals.
func matches(m nodeconf.Match) []expr.Any {
	if m.Protocol < 0 {
		return nil
	}
	out := metaIs(expr.MetaKeyL4PROTO, []byte{byte(m.Protocol)})
	var first, last int
	var offset uint32
	switch m.Protocol {
	case tcp, udp:
		first, last = portRange(m)
		offset = 2
	case icmp:
		first, last = typeRange(m)
	default:
		return out
	}
	switch {
	case first == 0 && last == 65535:
		return out
	case first == last:
		return append(out, loadTransport(reg, offset), is([]byte(be16(first))[:2]))
	}
	return append(out, loadTransport(reg, offset),
		&expr.Range{Op: expr.CmpOpEq, Register: reg, FromData: []byte(be16(first))[:2], ToData: []byte(be16(last))[:2]})
}

// prefixOf is the range of a prefix.
func prefixOf(p netip.Prefix) (first, last netip.Addr) {
	p = p.Masked()
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return p.Addr(), netip.AddrFrom4(b)
}
