package compile

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// changes collects the changes of nodes.
type changes map[string]*nodeconf.Delta

func (c changes) of(node string) *nodeconf.Delta {
	d := c[node]
	if d == nil {
		d = &nodeconf.Delta{}
		c[node] = d
	}
	return d
}

// turn tells a node what became of a resource; nil is none.
func (c changes) turn(node, id string, before, after any) {
	switch {
	case after != nil && !same(before, after):
		insert(&c.of(node).Set, id, after)
	case after == nil && before != nil:
		d := c.of(node)
		d.Gone = append(d.Gone, nodeconf.Key{Kind: section(before), ID: id})
	}
}

// section is the member of nodeconf.Resources that a value is in.
func section(value any) string {
	switch value.(type) {
	case nodeconf.VPC:
		return "VPCs"
	case nodeconf.Subnet:
		return "Subnets"
	case nodeconf.Interface:
		return "Interfaces"
	case nodeconf.Group:
		return "Groups"
	case nodeconf.Member:
		return "Members"
	case nodeconf.ACL:
		return "ACLs"
	case nodeconf.RouteTable:
		return "RouteTables"
	case nodeconf.NAT:
		return "NATs"
	case nodeconf.Home:
		return "Homes"
	case nodeconf.Zone:
		return "Zones"
	case nodeconf.Value:
		return "Values"
	}
	return "Remotes"
}

func insert(r *nodeconf.Resources, id string, value any) {
	switch v := value.(type) {
	case nodeconf.VPC:
		insertIn(&r.VPCs, id, v)
	case nodeconf.Subnet:
		insertIn(&r.Subnets, id, v)
	case nodeconf.Interface:
		insertIn(&r.Interfaces, id, v)
	case nodeconf.Group:
		insertIn(&r.Groups, id, v)
	case nodeconf.Member:
		insertIn(&r.Members, id, v)
	case nodeconf.ACL:
		insertIn(&r.ACLs, id, v)
	case nodeconf.RouteTable:
		insertIn(&r.RouteTables, id, v)
	case nodeconf.NAT:
		insertIn(&r.NATs, id, v)
	case nodeconf.Remote:
		insertIn(&r.Remotes, id, v)
	case nodeconf.Home:
		insertIn(&r.Homes, id, v)
	case nodeconf.Zone:
		insertIn(&r.Zones, id, v)
	case nodeconf.Value:
		insertIn(&r.Values, id, v)
	}
}

func insertIn[T any](m *map[string]T, id string, v T) {
	if *m == nil {
		*m = map[string]T{}
	}
	(*m)[id] = v
}

// deltas tells what this step made of each node.
func (x *Index) deltas() map[string]*nodeconf.Delta {
	out := changes{}
	for r, before := range x.now.values {
		e, flips := x.entries[r], x.now.flips[r]
		for node, was := range flips {
			from, to := when(was, before), any(nil)
			if e != nil && e.on[node] > 0 {
				to = e.value
			}
			out.turn(node, r.id, from, to)
		}
		if e == nil || same(before, e.value) {
			continue
		}
		for node := range e.on {
			if _, flipped := flips[node]; !flipped {
				out.turn(node, r.id, before, e.value)
			}
		}
	}
	x.memberDeltas(out)
	x.valueDeltas(out)
	x.otherDeltas(out)
	for _, d := range out {
		slices.SortFunc(d.Gone, func(a, b nodeconf.Key) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	}
	return out
}

func when(was bool, value any) any {
	if was {
		return value
	}
	return nil
}

// sets calls each for every node that has, or had, the set of a kind and id, which is the members or the others of it, and says which.
func (x *Index) sets(r ref, each func(node string, was, is bool)) {
	e, flips := x.entries[r], x.now.flips[r]
	for node, was := range flips {
		if is := e != nil && e.on[node] > 0; was != is {
			each(node, was, is)
		} else if is {
			each(node, true, true)
		}
	}
	if e == nil {
		return
	}
	for node := range e.on {
		if _, flipped := flips[node]; !flipped {
			each(node, true, true)
		}
	}
}

// touched are the sets of a kind of which a node came or went, and those with a change inside.
func touched[V any](x *Index, k kind, inside map[string]V) map[string]struct{} {
	out := map[string]struct{}{}
	for r := range x.now.flips {
		if r.kind == k {
			out[r.id] = struct{}{}
		}
	}
	for id := range inside {
		out[id] = struct{}{}
	}
	return out
}

func (x *Index) memberDeltas(out changes) {
	for group := range touched(x, theMembers, x.now.members) {
		inside, all := x.now.members[group], x.members[group]
		tell := func(node string, a netip.Addr, was, is bool) {
			m := nodeconf.Member{Group: group, Addr: a}
			out.turn(node, nodeconf.MemberKey(group, a), when(was, m), when(is, m))
		}
		x.sets(ref{theMembers, group}, func(node string, was, is bool) {
			for a, before := range inside {
				tell(node, a, was && before, is && all[a] > 0)
			}
			if was == is {
				return
			}
			for a := range all {
				if _, told := inside[a]; !told {
					tell(node, a, was, is)
				}
			}
		})
	}
}

// other is an interface as other nodes are told of it.
type other struct {
	node  string
	value any // nil when it is not told
}

func (x *Index) other(i *vpc.Interface, vpcID string, at netip.Addr) other {
	if i == nil || i.VPC != vpcID || i.Node == "" || !at.IsValid() {
		return other{}
	}
	return other{nodeOf(i), nodeconf.Remote{ID: i.ID, VPC: i.VPC, MAC: i.MAC, Addresses: addresses(i), Node: at}}
}

func (o other) on(node string) any {
	if o.node == node {
		return nil
	}
	return o.value
}

// before is where a node was reached before this step.
func (x *Index) before(node string) netip.Addr {
	if a, changed := x.now.nodes[node]; changed {
		return a
	}
	return x.nodes[node]
}

func (x *Index) otherDeltas(out changes) {
	if len(x.nodes) == 0 && len(x.now.nodes) == 0 {
		return // nobody is told of others
	}
	inside := map[string]map[string]*vpc.Interface{}
	for id, old := range x.now.ifaces {
		for _, i := range []*vpc.Interface{old, x.records.Interfaces[id]} {
			if i != nil && inside[i.VPC] == nil {
				inside[i.VPC] = map[string]*vpc.Interface{}
			}
			if i != nil {
				inside[i.VPC][id] = old
			}
		}
	}
	for v := range touched(x, theOthers, inside) {
		x.othersOf(v, inside[v], out)
	}
	for id, old := range x.now.ifaces {
		if i := x.records.Interfaces[id]; i != nil && old != nil && i.VPC != old.VPC {
			out.moved(id)
		}
	}
}

// moved mends what an interface that is another VPC's now (its id was taken again) did to nodes with both.
func (c changes) moved(id string) {
	for _, d := range c {
		if _, set := d.Set.Remotes[id]; set {
			d.Gone = slices.DeleteFunc(d.Gone, func(k nodeconf.Key) bool { return k == nodeconf.Key{Kind: "Remotes", ID: id} })
		}
	}
}

func (x *Index) othersOf(v string, inside map[string]*vpc.Interface, out changes) {
	type turn struct{ from, to other }
	turns := map[string]turn{}
	for id, old := range inside {
		t := turn{x.other(old, v, x.before(nodeOf(old))), other{}}
		if i := x.records.Interfaces[id]; i != nil {
			t.to = x.other(i, v, x.nodes[nodeOf(i)])
		}
		if t.from.value != nil || t.to.value != nil {
			turns[id] = t
		}
	}
	x.sets(ref{theOthers, v}, func(node string, was, is bool) {
		for id, t := range turns {
			out.turn(node, id, when(was, t.from.on(node)), when(is, t.to.on(node)))
		}
		if was == is {
			return
		}
		for id := range x.records.interfacesOf.all(v) {
			if _, told := inside[id]; told {
				continue
			}
			i := x.records.Interfaces[id]
			value := x.other(i, v, x.nodes[nodeOf(i)]).on(node)
			out.turn(node, id, when(was, value), when(is, value))
		}
	})
}

// Config is the whole configuration of a node (by NodeKey), at the cost of its size. Its version is zero.
func (x *Index) Config(node string) nodeconf.Config {
	var c nodeconf.Config
	seen := map[ref]bool{}
	var visit func(r ref)
	visit = func(r ref) {
		e := x.entries[r]
		if e == nil || seen[r] {
			return
		}
		seen[r] = true
		x.whole(&c.Resources, r, e, node)
		for _, n := range e.needs {
			visit(n)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(x.records.on[node])) {
		visit(ref{anInterface, id})
	}
	if h := x.homes[node]; h != "" {
		visit(ref{aHome, h})
	}
	return c
}

func (x *Index) whole(to *nodeconf.Resources, r ref, e *entry, node string) {
	switch r.kind {
	case theMembers:
		for a := range x.members[r.id] {
			insert(to, nodeconf.MemberKey(r.id, a), nodeconf.Member{Group: r.id, Addr: a})
		}
	case theValues:
		for key, v := range x.names.values[r.id] {
			insert(to, key, v)
		}
	case theOthers:
		for id := range x.records.interfacesOf.all(r.id) {
			i := x.records.Interfaces[id]
			if value := x.other(i, r.id, x.nodes[nodeOf(i)]).on(node); value != nil {
				insert(to, id, value)
			}
		}
	default:
		if e.value != nil {
			insert(to, r.id, e.value)
		}
	}
}
