package compile

import (
	"reflect"
	"slices"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// kind is a kind of what nodes need. They are in the order of their needs: each needs only later ones, so that nothing needs itself.
type kind uint8

const (
	anInterface kind = iota
	aHome            // of an account in a region: the default VPC, which its machines count as in
	aVPC
	theZones // of a VPC
	aZone
	theValues // of a zone
	theOthers // of a VPC: its interfaces on other nodes
	aRouting  // of a subnet: its table, and the NAT gateways that its routes lead to
	aNAT
	aTable
	aSubnet
	anACL
	aGroup
	theMembers // of a group
)

// ref names what a node may need.
type ref struct {
	kind kind
	id   string
}

// entry is what at least one node needs. What theOthers, theMembers, theZones, theValues and aRouting stand for is not in value.
type entry struct {
	value any            // as it is told; nil when its record is missing
	needs []ref          // distinct
	on    map[string]int // how often each node needs it
}

// mark notes what a record is part of. flip: it came or went.
func (x *Index) mark(rec any, flip bool) {
	switch rec := rec.(type) {
	case *vpc.VPC:
		x.dirty(aVPC, rec.ID)
		x.dirty(aHome, homeKey(rec.Home))
		for s := range x.records.subnetsOf.all(rec.ID) { // by its main table and ACL
			x.dirty(aSubnet, s)
		}
		x.markRouting(rec.ID)
		if flip {
			x.markInterfaces(x.records.interfacesOf, rec.ID)
		}
	case *vpc.Subnet:
		x.dirty(aSubnet, rec.ID)
		x.dirty(aRouting, rec.ID)
		x.markRouting(rec.VPC)
		x.markInterfaces(x.records.within, rec.ID)
	case *vpc.DHCPOptions:
		for v := range x.records.optionsOf.all(rec.ID) {
			x.dirty(aVPC, v)
			if v := x.records.VPCs[v]; v != nil {
				x.dirty(aHome, homeKey(v.Home))
			}
		}
	case *vpc.Interface:
		x.markInterface(rec.ID)
	case *vpc.SecurityGroup:
		x.dirty(aGroup, rec.ID)
	case *vpc.Rule:
		x.dirty(aGroup, rec.Group)
	case *vpc.ACL:
		x.dirty(anACL, rec.ID)
	case *vpc.RouteTable:
		x.dirty(aTable, rec.ID)
		x.markRouting(rec.VPC)
	case *vpc.Association:
		x.dirty(aSubnet, rec.Subnet)
		if s := x.records.Subnets[rec.Subnet]; s != nil {
			x.markRouting(s.VPC)
		}
	case *vpc.InternetGateway:
		x.dirty(aVPC, rec.VPC)
		x.dirty(aHome, homeKey(rec.Home))
		x.markRouting(rec.VPC)
	case *vpc.NATGateway:
		x.dirty(aNAT, rec.ID)
		x.markRouting(rec.VPC)
	}
}

func (x *Index) dirty(k kind, id string) { x.now.dirty[ref{k, id}] = struct{}{} }

// markRouting: where a route leads may depend on the table, the subnet and the gateway of the NAT gateway that it names.
func (x *Index) markRouting(vpcID string) {
	for t := range x.records.tablesOf.all(vpcID) {
		x.dirty(aTable, t)
	}
	for s := range x.records.subnetsOf.all(vpcID) {
		x.dirty(aRouting, s)
	}
	for n := range x.records.natsOf.all(vpcID) {
		x.dirty(aNAT, n)
	}
}

func (x *Index) markInterfaces(m multi, key string) {
	for id := range m.all(key) {
		x.markInterface(id)
	}
}

func (x *Index) markInterface(id string) {
	x.dirty(anInterface, id)
	for t := range x.records.leadingTo.all(id) {
		x.dirty(aTable, t)
	}
}

// settle compiles what was marked and moves what nodes need. New needs are taken before old ones are given up, so that what stays is not made again.
func (x *Index) settle() {
	x.moveRoots(+1)
	for r := range x.now.dirty {
		e := x.entries[r]
		if e == nil {
			continue
		}
		x.remember(r, e)
		value, needs := x.compile(r)
		was := e.needs
		e.value, e.needs = value, needs
		for _, n := range missing(needs, was) {
			for node := range e.on {
				x.hold(n, node)
			}
		}
		for _, n := range missing(was, needs) {
			for node := range e.on {
				x.release(n, node)
			}
		}
	}
	x.moveRoots(-1)
}

// moveRoots lets nodes need their new interfaces and homes (by +1), or no more need those of before.
func (x *Index) moveRoots(by int) {
	for node, was := range x.now.homes {
		switch is := x.homes[node]; {
		case was == is:
		case by > 0 && is != "":
			x.hold(ref{aHome, is}, node)
		case by < 0 && was != "":
			x.release(ref{aHome, was}, node)
		}
	}
	for id, old := range x.now.ifaces {
		before, after := nodeOf(old), nodeOf(x.records.Interfaces[id])
		switch {
		case before == after:
		case by > 0 && after != "":
			x.hold(ref{anInterface, id}, after)
		case by < 0 && before != "":
			x.release(ref{anInterface, id}, before)
		}
	}
}

func nodeOf(i *vpc.Interface) string {
	if i == nil {
		return ""
	}
	return NodeKey(i.Home, i.Node)
}

// NodeKey names a node to an Index. Names of nodes are told by the nodes themselves, so that in another account or region there may be one of
// the same name: what it is told must be its own. A node without a name is none.
func NodeKey(h vpc.Home, node string) string {
	if node == "" {
		return ""
	}
	return h.Account + "/" + h.Region + "/" + node
}

func missing(from, in []ref) []ref {
	var out []ref
	for _, r := range from {
		if !contains(in, r) {
			out = append(out, r)
		}
	}
	return out
}

func contains(rs []ref, r ref) bool {
	return slices.Contains(rs, r)
}

func (x *Index) hold(r ref, node string) {
	e := x.entries[r]
	if e == nil {
		e = &entry{on: make(map[string]int, 1)}
		x.remember(r, nil)
		e.value, e.needs = x.compile(r)
		x.entries[r] = e
	}
	if e.on[node]++; e.on[node] > 1 {
		return
	}
	x.flip(r, e, node, false)
	for _, n := range e.needs {
		x.hold(n, node)
	}
}

func (x *Index) release(r ref, node string) {
	e := x.entries[r]
	if e.on[node]--; e.on[node] > 0 {
		return
	}
	delete(e.on, node)
	x.flip(r, e, node, true)
	if len(e.on) == 0 {
		delete(x.entries, r)
	}
	for _, n := range e.needs {
		x.release(n, node)
	}
}

// flip notes that a node came to need something, or no more does, and whether it did before this step.
func (x *Index) flip(r ref, e *entry, node string, was bool) {
	x.remember(r, e)
	flips := x.now.flips[r]
	if flips == nil {
		flips = map[string]bool{}
		x.now.flips[r] = flips
	}
	if _, seen := flips[node]; !seen {
		flips[node] = was
	}
}

// remember keeps a value as it was before this step.
func (x *Index) remember(r ref, e *entry) {
	if _, seen := x.now.values[r]; seen {
		return
	}
	if e == nil {
		x.now.values[r] = nil
		return
	}
	x.now.values[r] = e.value
}

// compile makes what is told of a record, and what it needs.
func (x *Index) compile(r ref) (value any, needs []ref) {
	rs := x.records
	switch r.kind { //nolint:exhaustive // theOthers, theMembers and theValues have no value of their own
	case anInterface:
		if i := rs.Interfaces[r.id]; i != nil && rs.whole(i) {
			return compileInterface(i), interfaceNeeds(i)
		}
	case aVPC:
		if v := rs.VPCs[r.id]; v != nil {
			return rs.compileVPC(v), nil
		}
	case aHome, theZones, aZone:
		return x.compileNames(r)
	case aRouting:
		if t := rs.TableOf(r.id); t != nil {
			return nil, append(gateways(rs.Routes(t, x.settings)), ref{aTable, t.ID})
		}
	case aTable:
		if t := rs.Tables[r.id]; t != nil {
			return nodeconf.RouteTable{ID: t.ID, VPC: t.VPC, Routes: rs.Routes(t, x.settings)}, nil
		}
	case aNAT:
		if n := rs.NATs[r.id]; n != nil {
			return compileNAT(n), rs.natNeeds(n)
		}
	case aSubnet:
		if s := rs.Subnets[r.id]; s != nil {
			return rs.compileSubnet(s), []ref{{anACL, rs.ACL(s)}}
		}
	case anACL:
		if a := rs.ACLs[r.id]; a != nil {
			return compileACL(a), nil
		}
	case aGroup:
		if g := rs.Groups[r.id]; g != nil {
			out := rs.compileGroup(g, x.settings)
			return out, groupNeeds(out)
		}
	}
	return nil, nil
}

func (r *Records) natNeeds(n *vpc.NATGateway) []ref {
	needs := []ref{{aSubnet, n.Subnet}}
	if t := r.TableOf(n.Subnet); t != nil {
		needs = append(needs, ref{aTable, t.ID})
	}
	return needs
}

func groupNeeds(g nodeconf.Group) (needs []ref) {
	for _, id := range references(g) {
		needs = append(needs, ref{theMembers, id})
	}
	return needs
}

func interfaceNeeds(i *vpc.Interface) []ref {
	needs := []ref{{aVPC, i.VPC}, {theZones, i.VPC}, {theOthers, i.VPC}, {aSubnet, i.Subnet}, {aRouting, i.Subnet}}
	for _, g := range distinct(i.Groups) {
		needs = append(needs, ref{aGroup, g})
	}
	return needs
}

func gateways(routes []nodeconf.Route) []ref {
	var needs []ref
	for _, route := range routes {
		if n := (ref{aNAT, route.Target}); route.Kind == nodeconf.ToNAT && !contains(needs, n) {
			needs = append(needs, n)
		}
	}
	return needs
}

// same says whether two values tell the same.
func same(a, b any) bool {
	if _, plain := a.(nodeconf.Value); plain { // the most frequent change by far
		return a == b
	}
	return reflect.DeepEqual(a, b)
}
