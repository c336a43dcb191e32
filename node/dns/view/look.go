package view

import (
	"bytes"

	"github.com/berth-ecs/berth/node/dns/message"
)

// look is what one name has of a type.
type look struct {
	elsewhere bool // it is not known here
	rcode     int

	set  *set   // what it has, or nil
	kind uint16 // or this one record
	ttl  uint32
	data []byte
	all  [][]byte // or these

	next []byte // the name it stands for, in lower case; data is that name as it is written

	zone, soa []byte // for the reason why it has nothing
	negative  uint32
}

// look looks a name up in the zones and names of a VPC. In a zone, no more than the zone has is true.
func (v *View) look(p *vpc, name []byte, kind uint16, a *Answer) look {
	z := v.zone(p, name)
	if p.names == nil {
		if z == nil {
			return look{elsewhere: true}
		}
		return v.inZone(z, name, kind, a)
	}
	local := p.names.find(name)
	switch {
	case z != nil && len(z.name) >= len(local.zone):
		return v.inZone(z, name, kind, a)
	case local.zone != nil:
		return p.own(local, name, kind, a)
	case bytes.Equal(parent(name), p.names.outside) && p.names.hostnames:
		return p.outside(v, name, kind, a)
	}
	return look{elsewhere: true}
}

// zone is the zone a name is in: the one with the longest name, and of equal ones the VPC's own.
func (v *View) zone(p *vpc, name []byte) *zone {
	own, all := p.zones.Len() > 0, v.everywhere.Len() > 0
	if !own && !all {
		return nil
	}
	for at := name; len(at) > 0; at = parent(at) {
		if own {
			if z, ok := p.zones.Get(at); ok {
				return z[0]
			}
		}
		if all {
			if z, ok := v.everywhere.Get(at); ok {
				return z[0]
			}
		}
	}
	return nil
}

func (v *View) inZone(z *zone, name []byte, kind uint16, a *Answer) look {
	nothing := look{zone: z.name, soa: z.soa, negative: z.ttl}
	n, ok := v.find(z, name, a)
	apex := len(name) == len(z.name)
	if !ok && !apex {
		nothing.rcode = message.NameError
		return nothing
	}
	if ok {
		if s := n.set(kind); s != nil {
			return s.look(a)
		}
		if s := n.alias(); s != nil && !apex {
			return s.alias(a)
		}
	}
	switch {
	case apex && (kind == message.TypeSOA || kind == message.TypeANY):
		return look{kind: message.TypeSOA, ttl: z.ttl, data: z.soa}
	case apex && kind == message.TypeNS:
		return look{kind: kind, ttl: serversTTL, all: z.ns}
	}
	return nothing
}

// set is the one of a type, nil for none. Of ANY one type is enough (RFC 8482).
func (n *node) set(kind uint16) *set {
	for i := range n.sets {
		if s := &n.sets[i]; s.kind == kind || kind == message.TypeANY {
			return s
		}
	}
	return nil
}

// look is the set itself; of names that a name stands for, which it can have one only of, one.
func (s *set) look(a *Answer) look {
	if s.kind != message.TypeCNAME {
		return look{set: s}
	}
	v := s.draw(a.Draw)
	return look{kind: s.kind, ttl: v.ttl, data: v.data}
}

// alias is the names that a name stands for, nil for none. Beside other records it would be against the rules (RFC 2181), so those win.
func (n *node) alias() *set {
	if len(n.sets) == 1 && n.sets[0].kind == message.TypeCNAME {
		return &n.sets[0]
	}
	return nil
}

// alias draws one of the names that a name stands for: it can have one only.
func (s *set) alias(a *Answer) look {
	v := s.draw(a.Draw)
	return look{kind: s.kind, ttl: v.ttl, data: v.data, next: v.next}
}

// find finds a name, or the wildcard that stands for it: the one right below the nearest name above that is there.
func (v *View) find(z *zone, name []byte, a *Answer) (*node, bool) {
	tree, _ := v.trees.Get([]byte(z.id))
	if n, ok := tree.Get(name); ok {
		return n, true
	}
	for at := parent(name); len(at) >= len(z.name); at = parent(at) {
		if _, ok := tree.Get(at); !ok && len(at) > len(z.name) {
			continue
		}
		if len(at)+2 > 255 {
			return nil, false
		}
		wild := a.space(len(at) + 2)
		wild[0], wild[1] = 1, '*'
		copy(wild[2:], at)
		return tree.Get(wild)
	}
	return nil, false
}
