package compile

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// Protocols that have ports, or types and codes.
const (
	icmp   = 1
	tcp    = 6
	udp    = 17
	icmpv6 = 58
)

// span is what of a protocol is meant: ports from and to; an ICMP type and a code, -1 for all; or everything (-1, -1) of one that has neither.
type span struct{ from, to int32 }

// axis makes spans disjoint, in order.
type axis func([]span) []span

func axisOf(protocol int32) axis {
	if hasPorts(protocol) {
		return ports
	}
	return types // of protocols with nothing but everything, too
}

func hasPorts(protocol int32) bool { return protocol == tcp || protocol == udp }

// spanOf is what a rule matches; not ok: nothing.
func spanOf(m vpc.Match) (s span, ok bool) {
	switch m.Protocol {
	case tcp, udp:
		if m.From == -1 || m.To == -1 {
			return span{0, 65535}, true
		}
		s = span{max(m.From, 0), min(m.To, 65535)}
		return s, s.from <= s.to
	case icmp, icmpv6:
		if m.From == -1 {
			return span{-1, -1}, true
		}
		return span{m.From, max(m.To, -1)}, m.From >= 0
	}
	return span{-1, -1}, true
}

func match(protocol int32, s span) nodeconf.Match {
	if hasPorts(protocol) && s == (span{0, 65535}) {
		s = span{-1, -1}
	}
	return nodeconf.Match{Protocol: protocol, From: s.from, To: s.to}
}

// ports joins ranges that overlap or touch.
func ports(spans []span) []span {
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	out := sorted[:0]
	for _, s := range sorted {
		if n := len(out) - 1; n >= 0 && s.from <= out[n].to+1 {
			out[n].to = max(out[n].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// types leaves out codes of a type that is there with all its codes, and everything beside everything.
func types(spans []span) []span {
	has := make(map[span]bool, len(spans))
	for _, s := range spans {
		has[s] = true
	}
	if has[span{-1, -1}] {
		return []span{{-1, -1}}
	}
	out := make([]span, 0, len(has))
	for s := range has {
		if s.to == -1 || !has[span{s.from, -1}] {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return out
}

// pieces cuts the spans of all ranges where one begins or ends: a piece is in a span or outside of it.
func pieces(ranges map[netip.Prefix][]span) []span {
	var cuts []int32
	for _, spans := range ranges {
		for _, s := range spans {
			cuts = append(cuts, s.from, s.to+1)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []span
	for i := 1; i < len(cuts); i++ {
		out = append(out, span{cuts[i-1], cuts[i] - 1})
	}
	return out
}
