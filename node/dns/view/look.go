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

	next []byte // the name it stands for, in lower case; data is that name as it is written

	zone, soa []byte // for the reason why it has nothing
	negative  uint32
}

// look looks a name up in the zones and names of a VPC. In a zone, no more than the zone has is true.
func (v *View) look(p *vpc, name []byte, kind uint16, a *Answer) look {
	z := p.zone(name)
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

// zone is the zone a name is in: the one with the longest name.
func (p *vpc) zone(name []byte) *zone {
	if p.zones.Len() == 0 {
		return nil
	}
	for at := name; len(at) > 0; at = parent(at) {
		if z, ok := p.zones.Get(at); ok {
			return z[0]
		}
	}
	return nil
}

func (v *View) inZone(z *zone, name []byte, kind uint16, a *Answer) look {
	nothing := look{zone: z.name, soa: z.soa, negative: z.negative}
	n, ok := v.find(z, name, a)
	apex := len(name) == len(z.name)
	if !ok && !apex {
		nothing.rcode = message.NameError
		return nothing
	}
	if ok {
		for _, s := range n.sets {
			if s.kind == kind || kind == message.TypeANY {
				return look{set: s}
			}
		}
		if len(n.sets) > 0 && !apex {
			if s := n.sets[0]; s.kind == message.TypeCNAME {
				return s.alias(a)
			}
		}
	}
	switch {
	case apex && kind == message.TypeSOA:
		return look{kind: kind, ttl: z.negative, data: z.soa}
	case apex && kind == message.TypeNS:
		return look{kind: kind, ttl: z.negative, data: z.ns}
	}
	return nothing
}

// alias draws one of the names that a name stands for.
func (s *set) alias(a *Answer) look {
	i := 0
	if len(s.data) > 1 {
		i = s.draw(a.Draw)
	}
	return look{set: s, kind: s.kind, ttl: s.ttl, data: s.data[i], next: s.names[i]}
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
