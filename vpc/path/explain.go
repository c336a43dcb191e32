package path

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
)

// walk is one explanation in the making. Its steps answer whether the packet goes on.
type walk struct {
	records  *compile.Records
	settings compile.Settings
	q        Query
	trace    Trace
}

// Explain follows a packet and its answer.
func Explain(r *compile.Records, s compile.Settings, q Query) Trace {
	w := &walk{records: r, settings: s, q: q}
	w.trace.Open = w.follow()
	w.trace.Verdict = "open: " + q.String()
	if !w.trace.Open {
		w.trace.Verdict = "closed: " + q.String()
	}
	return w.trace
}

func (w *walk) hop(h Hop) bool {
	w.trace.Hops = append(w.trace.Hops, h)
	return h.Open
}

func (w *walk) ok(way, at, format string, args ...any) bool {
	return w.hop(Hop{Way: way, At: at, Open: true, Text: fmt.Sprintf(format, args...)})
}

func (w *walk) drop(way, at, format string, args ...any) bool {
	return w.hop(Hop{Way: way, At: at, Text: fmt.Sprintf(format, args...)})
}

// follow is the whole way.
func (w *walk) follow() bool {
	from, to := w.q.From, w.q.To
	for _, e := range []End{from, to} {
		if e.Interface != nil && e.Interface.Node == "" {
			return w.drop("out", e.Interface.ID, "interface %s is on no node: nothing is sent to it or from it", e.Interface.ID)
		}
	}
	if from.Interface == nil {
		public := publicOf(to)
		if !public.IsValid() {
			return w.drop("out", to.Addr.String(), "%s has no public address: from outside nothing reaches it", to)
		}
		w.ok("out", public.String(), "from outside it goes to the public address %s", public)
		return w.arrive(to, from.Addr) && w.answer(to, from.Addr)
	}
	if to.Interface != nil && to.Interface.VPC == from.Interface.VPC {
		return w.inside()
	}
	dial := to.Addr
	if to.Interface != nil {
		if dial = publicOf(to); !dial.IsValid() {
			return w.drop("out", to.Interface.VPC, "%s is in another VPC and has no public address", to)
		}
		w.ok("out", dial.String(), "%s is in another VPC: it is reached by its public address %s", to, dial)
	}
	return w.outside(dial)
}

// publicOf is the public address of an end.
func publicOf(e End) netip.Addr {
	if e.Interface != nil {
		for _, p := range e.Interface.Private {
			if p.Addr == e.Addr {
				return p.Public
			}
		}
	}
	return netip.Addr{}
}

// inside is the way between two interfaces of a VPC.
func (w *walk) inside() bool {
	from, to := w.q.From, w.q.To
	if from.Interface.ID == to.Interface.ID {
		return w.ok("out", from.Interface.ID, "both are %s: the packet does not leave it", from.Interface.ID)
	}
	return w.groups("out", from.Interface, true, to.Addr) &&
		w.aclOut("out", from.Interface, w.q.there(), to.Addr) &&
		w.ok("out", from.Interface.VPC, "route: %s is inside of %s (local)", to.Addr, from.Interface.VPC) &&
		w.aclIn("in", to.Interface, w.q.there(), from.Addr) &&
		w.groups("in", to.Interface, false, from.Addr) &&
		w.aclOut("back", to.Interface, w.q.back(), from.Addr) &&
		w.aclIn("back", from.Interface, w.q.back(), to.Addr)
}

// outside is the way to an address outside of the VPC, which may be the public one of an interface of any.
func (w *walk) outside(dial netip.Addr) bool {
	from := w.q.From
	if local, done := w.nearby(dial); done {
		return local
	}
	if !w.groups("out", from.Interface, true, dial) || !w.aclOut("out", from.Interface, w.q.there(), dial) {
		return false
	}
	route, ok := w.route("out", from.Interface, dial)
	if !ok {
		return false
	}
	var seen netip.Addr
	var nat *vpc.NATGateway
	switch route.Kind {
	case nodeconf.ToInternet:
		if seen = publicOf(from); !seen.IsValid() {
			return w.drop("out", route.Target, "internet gateway %s: %s has no public address, so that nothing could come back", route.Target, from)
		}
		w.ok("out", route.Target, "internet gateway %s: %s becomes %s", route.Target, from.Addr, seen)
	case nodeconf.ToNAT:
		nat = w.records.NATs[route.Target]
		seen = nat.Addresses[0].Public
		if !w.through("out", nat, from.Addr, dial) {
			return false
		}
	default:
		return w.handed(route)
	}
	to := w.whose(dial)
	if to.Interface != nil {
		if !w.arrive(to, seen) || !w.answer(to, seen) {
			return false
		}
	} else if id := w.gatewayOf(dial); id != "" {
		return w.drop("in", id, "%s is the address of NAT gateway %s, which takes no connections", dial, id)
	} else {
		w.ok("in", dial.String(), "%s is outside of this account's networks: what happens there is not told here", dial)
	}
	if nat != nil && (to.Interface == nil || to.Interface.VPC != nat.VPC) && !w.through("back", nat, dial, from.Addr) {
		return false
	}
	return w.aclIn("back", from.Interface, w.q.back(), dial)
}

var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// nearby are addresses that the node itself answers, and those that lead nowhere.
func (w *walk) nearby(dial netip.Addr) (open, done bool) {
	v := w.records.VPCs[w.q.From.Interface.VPC]
	if v == nil {
		return w.drop("out", w.q.From.Interface.VPC, "VPC %s is gone", w.q.From.Interface.VPC), true
	}
	if resolver := v.Blocks; len(resolver) > 0 && dial == resolver[0].CIDR.Masked().Addr().Next().Next() || dial.String() == "169.254.169.253" {
		return w.ok("out", dial.String(), "%s is the VPC's resolver: neither groups nor ACLs hold for it", dial), true
	}
	if linkLocal.Contains(dial) {
		return w.drop("out", dial.String(), "%s is link-local: no route leads there", dial), true
	}
	for _, b := range v.Blocks {
		if b.CIDR.Contains(dial) {
			return w.drop("out", dial.String(), "%s is inside of %s, and no interface has it", dial, v.ID), true
		}
	}
	return false, false
}

// handed is the end of what can be said when a route leads to an interface.
func (w *walk) handed(route nodeconf.Route) bool {
	i := w.records.Interfaces[route.Target]
	if i.SourceCheck {
		return w.drop("out", i.ID, "interface %s has source/destination check on: it takes nothing that is not for its own addresses", i.ID)
	}
	w.groups("in", i, false, w.q.From.Addr)
	return w.drop("in", i.ID, "interface %s gets the packet: whether it sends it on is its own business", i.ID)
}

// arrive is the way in from outside, to an interface by its public address.
func (w *walk) arrive(to End, seen netip.Addr) bool {
	return w.ok("in", to.Interface.VPC, "the public address becomes %s", to) &&
		w.aclIn("in", to.Interface, w.q.there(), seen) &&
		w.groups("in", to.Interface, false, seen)
}

// answer is the way back to an address outside: a route has to lead there.
func (w *walk) answer(from End, seen netip.Addr) bool {
	if !w.aclOut("back", from.Interface, w.q.back(), seen) {
		return false
	}
	route, ok := w.route("back", from.Interface, seen)
	if ok && route.Kind == nodeconf.ToInterface {
		return w.drop("back", route.Target, "the answer would go to interface %s instead of the gateway", route.Target)
	}
	if ok && route.Kind == nodeconf.ToNAT { // the connection is known and keeps its addresses
		home := w.records.Subnets[w.records.NATs[route.Target].Subnet]
		return w.passACL("back", home, crossing{w.q.back(), false, from.Addr}) && w.passACL("back", home, crossing{w.q.back(), true, seen})
	}
	return ok
}

// through is the way through a NAT gateway: into its subnet and out of it.
func (w *walk) through(way string, n *vpc.NATGateway, from, to netip.Addr) bool {
	home := w.records.Subnets[n.Subnet]
	p := w.q.there()
	if way == "back" {
		p = w.q.back()
	}
	if way == "out" {
		w.ok(way, n.ID, "NAT gateway %s in %s: %s becomes %s", n.ID, n.Subnet, from, n.Addresses[0].Public)
	}
	return w.passACL(way, home, crossing{p, false, from}) && w.passACL(way, home, crossing{p, true, to})
}

// whose is the interface of the account that has a public address. What another account has is for nobody else to read.
func (w *walk) whose(public netip.Addr) End {
	for _, i := range w.records.Interfaces {
		for _, p := range i.Private {
			if p.Public == public && i.Node != "" && i.Account == w.q.From.Interface.Account {
				return End{i, p.Addr}
			}
		}
	}
	return End{}
}

func (w *walk) gatewayOf(public netip.Addr) string {
	for _, n := range w.records.NATs {
		for _, a := range n.Addresses {
			if a.Public == public && n.DeletedAt.IsZero() && n.Account == w.q.From.Interface.Account {
				return n.ID
			}
		}
	}
	return ""
}

// groups asks the groups of an interface.
func (w *walk) groups(way string, i *vpc.Interface, egress bool, peer netip.Addr) bool {
	side, word := "inbound", "from"
	if egress {
		side, word = "outbound", "to"
	}
	names := strings.Join(i.Groups, ", ")
	if i.Open() {
		return w.hop(Hop{Way: way, At: i.ID, Open: true, Text: i.ID + " is of a network load balancer without security groups: everything passes"})
	}
	rule := w.lets(i, egress, w.q.there(), peer)
	if rule == nil {
		return w.drop(way, names, "security groups of %s (%s): no %s rule allows %s %s %s", i.ID, names, side, w.q.there(), word, peer)
	}
	return w.hop(Hop{Way: way, At: rule.Group, Rule: rule.ID, Open: true, Text: fmt.Sprintf("security group %s of %s: %s rule %s allows it (%s %s %s)",
		rule.Group, i.ID, side, rule.ID, matchText(rule.Match), word, peerText(rule.Peer))})
}

func (w *walk) aclOut(way string, i *vpc.Interface, p packet, peer netip.Addr) bool {
	return w.passACL(way, w.records.Subnets[i.Subnet], crossing{p, true, peer})
}

func (w *walk) aclIn(way string, i *vpc.Interface, p packet, peer netip.Addr) bool {
	return w.passACL(way, w.records.Subnets[i.Subnet], crossing{p, false, peer})
}

// crossing is a packet that leaves a subnet, or enters it.
type crossing struct {
	packet
	egress bool
	peer   netip.Addr
}

// passACL asks a subnet's network ACL. It does not hold inside of the subnet.
func (w *walk) passACL(way string, s *vpc.Subnet, c crossing) bool {
	if s == nil {
		return w.drop(way, "", "the interface's subnet is gone")
	}
	if s.CIDR.Contains(c.peer) || c.egress && linkLocal.Contains(c.peer) {
		return true
	}
	id := w.records.ACL(s)
	a := w.records.ACLs[id]
	if a == nil {
		return w.drop(way, id, "network ACL %s is gone", id)
	}
	side, word, entries := "inbound", "from", a.Ingress
	if c.egress {
		side, word, entries = "outbound", "to", a.Egress
	}
	number, port, allowed := acl(entries, c.packet, c.peer)
	rule := strconv.Itoa(int(number))
	what := fmt.Sprintf("%s %s %s", c.packet, word, c.peer)
	if number == 0 {
		rule = "*"
	}
	if !allowed && c.low != c.high {
		what = fmt.Sprintf("%s port %d %s %s, one of those that the client may have chosen", protocolName(c.protocol), port, word, c.peer)
	}
	verb := "allows"
	if !allowed {
		verb = "denies"
	}
	return w.hop(Hop{Way: way, At: id, Rule: rule, Open: allowed, Text: fmt.Sprintf("network ACL %s of %s: %s entry %s %s %s", id, s.ID, side, rule, verb, what)})
}

// never are destinations that no route table leads to.
var never = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), linkLocal, netip.MustParsePrefix("224.0.0.0/3")}

// route looks up where a subnet's table leads.
func (w *walk) route(way string, i *vpc.Interface, to netip.Addr) (nodeconf.Route, bool) {
	t := w.records.TableOf(i.Subnet)
	if t == nil {
		return nodeconf.Route{}, w.drop(way, "", "the subnet %s has no route table", i.Subnet)
	}
	best := nodeconf.Route{}
	for _, r := range w.records.Routes(t, w.settings) {
		if machine := linkLocal.Contains(to) && r.Kind == nodeconf.ToInternet; machine { // the machine's own connections: where it leads out, answers go
			best = r
			break
		}
		if r.Destination.Contains(to) && (!best.Destination.IsValid() || r.Destination.Bits() > best.Destination.Bits()) {
			best = r
		}
	}
	for _, n := range never {
		if n.Contains(to) && (!linkLocal.Contains(to) || best.Kind != nodeconf.ToInternet) {
			best = nodeconf.Route{}
		}
	}
	switch {
	case !best.Destination.IsValid():
		return best, w.drop(way, t.ID, "route table %s of %s: no route leads to %s", t.ID, i.Subnet, to)
	case best.Kind == nodeconf.Blackhole:
		return best, w.hop(Hop{Way: way, At: t.ID, Rule: best.Destination.String(), Text: fmt.Sprintf("route table %s of %s: %s leads to %s, which cannot be used (blackhole)", t.ID, i.Subnet, best.Destination, best.Target)})
	}
	return best, w.hop(Hop{Way: way, At: t.ID, Rule: best.Destination.String(), Open: true, Text: fmt.Sprintf("route table %s of %s: %s leads to %s", t.ID, i.Subnet, best.Destination, best.Target)})
}
