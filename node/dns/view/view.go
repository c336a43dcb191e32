package view

import (
	"fmt"
	"maps"
	"net/netip"

	"github.com/berth-ecs/berth/node/dns/trie"
	"github.com/berth-ecs/berth/nodeconf"
)

// View is what the resolvers of all VPCs of a node know. The nil View knows nothing.
type View struct {
	vpcs       map[string]*vpc
	homes      map[string]home   // by nodeconf.HomeKey
	machine    *vpc              // what is answered at home; nil when there is none
	everywhere trie.Map[[]*zone] // public zones, as vpc.zones
	all        trie.Map[[]*zone] // all zones, as vpc.zones

	zones  trie.Map[*zone]                // by id
	trees  trie.Map[trie.Map[*node]]      // of zones, by id; then by name
	values trie.Map[*value]               // by nodeconf.ValueKey
	public trie.Map[trie.Map[netip.Addr]] // of interfaces and NAT gateways, by id; then as in vpc.public
	owner  trie.Map[string]               // of what public has: the VPC
	known  trie.Map[int]                  // public addresses of any VPC here, and how many have them
}

// Problem is a part of a configuration that is left out.
type Problem struct {
	Kind, ID string
	Err      error
}

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("%s %s: %v", p.Kind, p.ID, p.Err) }

// Unwrap implements errors.
func (p *Problem) Unwrap() error { return p.Err }

// Apply is the view after a change, and what of the change is left out. All that goes is taken out before anything is put in: an address
// may go from one interface to another in one change.
func (v *View) Apply(d nodeconf.Delta) (*View, []error) {
	next := &View{vpcs: map[string]*vpc{}, homes: map[string]home{}}
	if v != nil && d.From != 0 {
		*next = *v
		next.vpcs, next.homes = maps.Clone(v.vpcs), maps.Clone(v.homes)
	}
	next.takeOut(d)
	problems := next.putIn(&d.Set)
	next.machine = next.atHome()
	return next, problems
}

func (v *View) takeOut(d nodeconf.Delta) {
	gone := map[string]func(id string){
		"VPCs":       v.dropVPC,
		"Interfaces": v.dropPublic,
		"NATs":       v.dropPublic,
		"Homes":      func(key string) { delete(v.homes, key) },
		"Zones":      v.dropZone,
		"Values":     v.dropValue,
	}
	for _, k := range d.Gone {
		if drop := gone[k.Kind]; drop != nil {
			drop(k.ID)
		}
	}
	for id := range d.Set.Interfaces {
		v.dropPublic(id)
	}
	for id := range d.Set.NATs {
		v.dropPublic(id)
	}
	for id := range d.Set.Zones {
		v.dropZone(id)
	}
	for key := range d.Set.Values {
		v.dropValue(key)
	}
}

func (v *View) putIn(r *nodeconf.Resources) (problems []error) {
	note := func(kind, id string, err error) {
		if err != nil {
			problems = append(problems, &Problem{kind, id, err})
		}
	}
	for id, c := range r.VPCs {
		note("VPCs", id, v.putVPC(id, c))
	}
	for key, h := range r.Homes {
		note("Homes", key, v.putHome(key, h))
	}
	for id, i := range r.Interfaces {
		if len(i.Public) > 0 {
			v.putPublic(id, i.VPC, i.Public)
		}
	}
	for id, n := range r.NATs {
		if n.Public.IsValid() {
			v.putPublic(id, n.VPC, []nodeconf.Public{{Private: n.Private, Public: n.Public}})
		}
	}
	for id, z := range r.Zones {
		note("Zones", id, v.putZone(id, z))
	}
	for key, val := range r.Values {
		note("Values", key, v.putValue(key, val))
	}
	return problems
}

// change makes a copy of a VPC's part that may be changed; what is empty then disappears.
func (v *View) change(id string, f func(*vpc)) {
	var p vpc
	if old := v.vpcs[id]; old != nil {
		p = *old
	}
	f(&p)
	if p.names == nil && p.zones.Len() == 0 && p.public.Len() == 0 {
		delete(v.vpcs, id)
		return
	}
	v.vpcs[id] = &p
}

func (v *View) putVPC(id string, c nodeconf.VPC) error {
	n, err := namesOf(c)
	if err == nil {
		v.change(id, func(p *vpc) { p.names = n })
	}
	return err
}

func (v *View) dropVPC(id string) { v.change(id, func(p *vpc) { p.names = nil }) }

// Resolvers answers the addresses that the resolver of each VPC is asked at; VPCs whose resolver does not answer have none.
func (v *View) Resolvers() map[string][]netip.Addr {
	out := map[string][]netip.Addr{}
	if v == nil {
		return out
	}
	for id, p := range v.vpcs {
		if p.names != nil && p.names.support {
			out[id] = p.names.resolvers
		}
	}
	return out
}
