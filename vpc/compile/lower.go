package compile

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// peers are the rules of one direction by what they match: for a protocol, spans for each range of addresses and for each group.
type peers struct {
	ranges map[int32]map[netip.Prefix][]span
	groups map[int32]map[string][]span
}

// Lower makes disjoint ranges of the rules of one direction: of one protocol, no packet is in two of them, and a packet is in one
// exactly when a rule allows it. A protocol's rules vanish where protocol -1 is allowed. Groups stay groups; their members may
// be in ranges too.
func Lower(rules []*vpc.Rule, list func(id string) []netip.Prefix) []nodeconf.Allow {
	p := gather(rules, list)
	var out []nodeconf.Allow
	for proto, ranges := range p.ranges {
		if proto != -1 {
			forget(ranges, p.ranges[-1])
		}
		for _, a := range areas(proto, ranges) {
			out = append(out, nodeconf.Allow{Match: match(proto, a.span), First: a.first, Last: a.last})
		}
	}
	for proto, groups := range p.groups {
		for group, spans := range groups {
			if proto != -1 && p.groups[-1][group] != nil {
				continue
			}
			for _, s := range axisOf(proto)(spans) {
				out = append(out, nodeconf.Allow{Match: match(proto, s), Group: group})
			}
		}
	}
	slices.SortFunc(out, compareAllows)
	return out
}

func compareAllows(a, b nodeconf.Allow) int {
	return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Group, b.Group), a.First.Compare(b.First), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
}

func gather(rules []*vpc.Rule, list func(string) []netip.Prefix) peers {
	p := peers{map[int32]map[netip.Prefix][]span{}, map[int32]map[string][]span{}}
	for _, r := range rules {
		s, ok := spanOf(r.Match)
		switch {
		case !ok:
		case r.Peer.Group != "":
			put(p.groups, r.Match.Protocol, r.Peer.Group, s)
		case r.Peer.PrefixList != "":
			for _, c := range list(r.Peer.PrefixList) {
				putRange(p.ranges, r.Match.Protocol, c, s)
			}
		default:
			putRange(p.ranges, r.Match.Protocol, r.Peer.CIDR, s)
		}
	}
	return p
}

func putRange(m map[int32]map[netip.Prefix][]span, proto int32, c netip.Prefix, s span) {
	if c.IsValid() {
		put(m, proto, c.Masked(), s)
	}
}

func put[K comparable](m map[int32]map[K][]span, proto int32, peer K, s span) {
	if m[proto] == nil {
		m[proto] = map[K][]span{}
	}
	m[proto][peer] = append(m[proto][peer], s)
}

// forget takes out the ranges that lie in one of all.
func forget(ranges, all map[netip.Prefix][]span) {
	if len(all) == 0 {
		return
	}
	for c := range ranges {
		for bits := c.Bits(); bits >= 0; bits-- {
			if wider, _ := c.Addr().Prefix(bits); all[wider] != nil {
				delete(ranges, c)
				break
			}
		}
	}
}

// area is a range of addresses and what is allowed there.
type area struct {
	first, last netip.Addr
	span
}

// areas makes ranges disjoint. Ranges are prefixes: they lie in one another or apart.
func areas(protocol int32, ranges map[netip.Prefix][]span) []area {
	order := make([]netip.Prefix, 0, len(ranges))
	items := 0
	for c, spans := range ranges {
		order = append(order, c)
		items += len(spans)
	}
	slices.SortFunc(order, netip.Prefix.Compare) // the wider first
	w := walk{axis: axisOf(protocol), open: map[span]int{}}
	for _, c := range order {
		w.enter(c, ranges[c])
	}
	for len(w.inside) > 0 {
		w.leave()
	}
	if hasPorts(protocol) && len(w.out) > 4*items {
		if other := bySpan(order, ranges); len(other) < len(w.out) {
			return other
		}
	}
	return w.out
}

// walk goes through the addresses in order and writes down what is allowed of each.
type walk struct {
	axis   axis
	inside []level    // the prefixes around the place, the widest first
	at     netip.Addr // the next address of the innermost; not valid after the last there is
	out    []area
	open   map[span]int // the last of out with a span
}

type level struct {
	last    netip.Addr
	allowed []span
}

func (w *walk) enter(c netip.Prefix, spans []span) {
	first, last := c.Addr(), lastOf(c)
	for len(w.inside) > 0 && w.inside[len(w.inside)-1].last.Less(first) {
		w.leave()
	}
	allowed := w.axis(spans)
	if n := len(w.inside); n > 0 {
		around := w.inside[n-1].allowed
		if allowed = w.axis(append(slices.Clone(around), spans...)); slices.Equal(allowed, around) {
			return // nothing that is not allowed around it
		}
		if w.at.Less(first) {
			w.emit(w.at, first.Prev(), around)
		}
	}
	w.inside, w.at = append(w.inside, level{last, allowed}), first
}

func (w *walk) leave() {
	n := len(w.inside) - 1
	top := w.inside[n]
	w.inside = w.inside[:n]
	if w.at.IsValid() && w.at.Compare(top.last) <= 0 {
		w.emit(w.at, top.last, top.allowed)
	}
	w.at = top.last.Next()
}

// emit writes a range down, as more of the range before it where the same is allowed.
func (w *walk) emit(first, last netip.Addr, allowed []span) {
	for _, s := range allowed {
		if i, ok := w.open[s]; ok && w.out[i].last.Next() == first {
			w.out[i].last = last
			continue
		}
		w.open[s] = len(w.out)
		w.out = append(w.out, area{first, last, s})
	}
}

// bySpan is the other way to cut: ports first, then the addresses of each range of ports. It is the shorter way when few addresses may do
// almost everything and all addresses may do many things.
func bySpan(order []netip.Prefix, ranges map[netip.Prefix][]span) []area {
	type bounds struct{ first, last netip.Addr }
	var out []area
	open := map[bounds]int{}
	for _, s := range pieces(ranges) {
		var merged []bounds
		for _, c := range order {
			if !slices.ContainsFunc(ranges[c], func(o span) bool { return o.from <= s.from && s.to <= o.to }) {
				continue
			}
			n := len(merged) - 1
			switch {
			case n >= 0 && c.Addr().Compare(merged[n].last) <= 0: // inside of it
			case n >= 0 && merged[n].last.Next() == c.Addr():
				merged[n].last = lastOf(c)
			default:
				merged = append(merged, bounds{c.Addr(), lastOf(c)})
			}
		}
		for _, b := range merged {
			if i, ok := open[b]; ok && out[i].to+1 == s.from {
				out[i].to = s.to
				continue
			}
			open[b] = len(out)
			out = append(out, area{b.first, b.last, s})
		}
	}
	return out
}

func lastOf(c netip.Prefix) netip.Addr {
	b := c.Masked().Addr().AsSlice()
	for i := c.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}
