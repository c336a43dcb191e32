package path

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/vpc"
)

// packet is what filters look at. For ICMP low is the type, the code is 0; else ports low to high, all of which have to be allowed.
type packet struct {
	protocol  int32
	low, high int32
}

// there is the packet that asks, back the one that answers.
func (q Query) there() packet {
	if q.Protocol == ICMP {
		return packet{ICMP, 8, 8}
	}
	return packet{q.Protocol, q.Port, q.Port}
}

func (q Query) back() packet {
	switch {
	case q.Protocol == ICMP:
		return packet{ICMP, 0, 0}
	case q.SourcePort != 0:
		return packet{q.Protocol, q.SourcePort, q.SourcePort}
	}
	return packet{q.Protocol, 1024, 65535}
}

func (p packet) String() string {
	switch {
	case p.protocol == ICMP && p.low == 8:
		return "icmp echo"
	case p.protocol == ICMP:
		return "icmp echo reply"
	case p.low == p.high:
		return fmt.Sprintf("%s port %d", protocolName(p.protocol), p.low)
	}
	return fmt.Sprintf("%s ports %d-%d (any that the client may have chosen)", protocolName(p.protocol), p.low, p.high)
}

// hits says whether a match is of a packet's port or type.
func hits(m vpc.Match, protocol, port int32) bool {
	switch {
	case m.Protocol == -1:
		return true
	case m.Protocol != protocol:
		return false
	case protocol == ICMP:
		return m.From < 0 || m.From == port && m.To <= 0
	}
	return m.From < 0 || m.To < 0 || m.From <= port && port <= m.To
}

// acl asks a network ACL: the entry that decides, 0 for that of the end. Of several ports the first that is dropped decides.
func acl(entries []vpc.ACLEntry, p packet, peer netip.Addr) (number int32, port int32, allowed bool) {
	ordered := slices.SortedStableFunc(slices.Values(entries), func(a, b vpc.ACLEntry) int { return cmp.Compare(a.Number, b.Number) })
	ports := []int32{p.low}
	for _, e := range ordered { // where the answer may change
		for _, cut := range []int32{e.Match.From, e.Match.To + 1} {
			if p.low < cut && cut <= p.high {
				ports = append(ports, cut)
			}
		}
	}
	slices.Sort(ports)
	for _, port := range ports {
		e, found := first(ordered, p.protocol, port, peer)
		if !found || !e.Allow {
			return e.Number, port, false
		}
		number = cmp.Or(number, e.Number)
	}
	return number, p.low, true
}

func first(entries []vpc.ACLEntry, protocol, port int32, peer netip.Addr) (vpc.ACLEntry, bool) {
	for _, e := range entries {
		if hits(e.Match, protocol, port) && e.CIDR.Contains(peer) {
			return e, true
		}
	}
	return vpc.ACLEntry{}, false
}

// lets finds the rule of an interface's groups that lets a packet to or from a peer pass.
func (w *walk) lets(i *vpc.Interface, egress bool, p packet, peer netip.Addr) *vpc.Rule {
	var found *vpc.Rule
	for _, g := range i.Groups {
		for _, r := range w.records.Rules[g] {
			if r.Egress != egress || !hits(r.Match, p.protocol, p.low) || !w.isPeer(r, peer) {
				continue
			}
			if found == nil || cmp.Or(cmp.Compare(r.Group, found.Group), cmp.Compare(r.ID, found.ID)) < 0 {
				found = r
			}
		}
	}
	return found
}

func (w *walk) isPeer(r *vpc.Rule, peer netip.Addr) bool {
	switch {
	case r.Peer.Group != "":
		for _, m := range w.records.Interfaces {
			if slices.Contains(m.Groups, r.Peer.Group) && has(m, peer) {
				return true
			}
		}
		return false
	case r.Peer.PrefixList != "":
		if w.settings.PrefixList == nil {
			return false
		}
		return slices.ContainsFunc(w.settings.PrefixList(r.Region, r.Peer.PrefixList), func(c netip.Prefix) bool { return c.Contains(peer) })
	}
	return r.Peer.CIDR.Contains(peer)
}

func has(i *vpc.Interface, a netip.Addr) bool {
	return slices.Contains(i.IPv6, a) || slices.ContainsFunc(i.Private, func(p vpc.Private) bool { return p.Addr == a })
}

func peerText(p vpc.Peer) string {
	switch {
	case p.Group != "":
		return "members of " + p.Group
	case p.PrefixList != "":
		return p.PrefixList
	}
	return p.CIDR.String()
}
