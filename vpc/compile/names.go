package compile

import (
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// names are the zones of VPCs and what is in them, as the wing that names things makes them.
type names struct {
	zones   map[string]nodeconf.Zone
	zonesOf multi                                // of VPCs, and of everyone
	values  map[string]map[string]nodeconf.Value // of zones, by nodeconf.ValueKey
	zoneOf  map[string]string                    // of values
}

func newNames() names {
	return names{map[string]nodeconf.Zone{}, multi{}, map[string]map[string]nodeconf.Value{}, map[string]string{}}
}

// Name takes a change of zones and values, and answers the change of each node that has some of them. Nothing else of d counts.
func (x *Index) Name(d nodeconf.Delta) map[string]*nodeconf.Delta {
	x.begin()
	x.name(d)
	return x.end()
}

// LoadNames puts zones and values into an index that has none.
func (x *Index) LoadNames(r nodeconf.Resources) {
	x.begin()
	x.name(nodeconf.Delta{Set: r})
	x.settle()
	x.now = nil
}

func (x *Index) name(d nodeconf.Delta) {
	for _, k := range d.Gone {
		switch k.Kind {
		case "Zones":
			x.setZone(k.ID, nil)
		case "Values":
			x.setValue(k.ID, nil)
		}
	}
	for id, z := range d.Set.Zones {
		x.setZone(id, &z)
	}
	for key, v := range d.Set.Values {
		x.setValue(key, &v)
	}
}

func (x *Index) setZone(id string, z *nodeconf.Zone) {
	n := &x.names
	x.dirty(aZone, id)
	if old, ok := n.zones[id]; ok {
		delete(n.zones, id)
		for _, v := range holders(old) {
			n.zonesOf.del(v, id)
			x.markZones(v)
		}
	}
	if z == nil {
		return
	}
	n.zones[id] = *z
	for _, v := range holders(*z) {
		n.zonesOf.add(v, id)
		x.markZones(v)
	}
}

// everyone is among VPCs the one that has public zones.
const everyone = "*"

func holders(z nodeconf.Zone) []string {
	if z.Public {
		return []string{everyone}
	}
	return z.VPCs
}

func (x *Index) markZones(v string) {
	if v != everyone {
		x.dirty(theZones, v)
		return
	}
	for r := range x.entries {
		if r.kind == theZones {
			x.now.dirty[r] = struct{}{}
		}
	}
}

func (x *Index) setValue(key string, v *nodeconf.Value) {
	n := &x.names
	if zone, ok := n.zoneOf[key]; ok {
		x.rememberValue(zone, key)
		delete(n.zoneOf, key)
		if delete(n.values[zone], key); len(n.values[zone]) == 0 {
			delete(n.values, zone)
		}
	}
	if v == nil {
		return
	}
	x.rememberValue(v.Zone, key)
	n.zoneOf[key] = v.Zone
	if n.values[v.Zone] == nil {
		n.values[v.Zone] = map[string]nodeconf.Value{}
	}
	n.values[v.Zone][key] = *v
}

// rememberValue keeps a value of a zone as it was before this step.
func (x *Index) rememberValue(zone, key string) {
	was := x.now.names[zone]
	if was == nil {
		was = map[string]any{}
		x.now.names[zone] = was
	}
	if _, seen := was[key]; !seen {
		was[key] = x.names.value(zone, key)
	}
}

// value is a nodeconf.Value, or nil.
func (n *names) value(zone, key string) any {
	if v, ok := n.values[zone][key]; ok {
		return v
	}
	return nil
}

func (x *Index) valueDeltas(out changes) {
	for zone := range touched(x, theValues, x.now.names) {
		inside := x.now.names[zone]
		after := make(map[string]any, len(inside))
		for key, before := range inside {
			if v := x.names.value(zone, key); v != before { // values can be compared
				after[key] = v
			}
		}
		x.sets(ref{theValues, zone}, func(node string, was, is bool) {
			for key, v := range after {
				out.turn(node, key, when(was, inside[key]), when(is, v))
			}
			if was == is {
				return
			}
			for key, v := range x.names.values[zone] {
				if _, told := after[key]; !told {
					out.turn(node, key, when(was, v), when(is, v))
				}
			}
		})
	}
}

// compileNames makes what is told of a home or zone, and what it needs.
func (x *Index) compileNames(r ref) (value any, needs []ref) {
	switch r.kind { //nolint:exhaustive // the others are compile's
	case aHome:
		if v := x.records.defaultOf(r.id); v != nil {
			return nodeconf.Home{VPC: x.records.compileVPC(v)}, []ref{{theZones, v.ID}}
		}
	case theZones:
		for _, holder := range []string{r.id, everyone} {
			for id := range x.names.zonesOf.all(holder) {
				needs = append(needs, ref{aZone, id})
			}
		}
	case aZone:
		if z, ok := x.names.zones[r.id]; ok {
			return z, []ref{{theValues, r.id}}
		}
	}
	return nil, needs
}

// SetHome says whether a node (by NodeKey) is a machine of an account in a region: then it has the names of the default VPC there.
func (x *Index) SetHome(node string, h vpc.Home, is bool) map[string]*nodeconf.Delta {
	x.begin()
	key := ""
	if is {
		key = homeKey(h)
	}
	if was := x.homes[node]; was != key {
		x.now.homes[node] = was
		if x.homes[node] = key; key == "" {
			delete(x.homes, node)
		}
	}
	return x.end()
}

func homeKey(h vpc.Home) string { return nodeconf.HomeKey(h.Account, h.Region) }

// defaultOf is the default VPC of a home, by nodeconf.HomeKey; nil for none.
func (r *Records) defaultOf(home string) (best *vpc.VPC) {
	for _, v := range r.VPCs {
		if v.Default && homeKey(v.Home) == home && (best == nil || v.ID < best.ID) {
			best = v
		}
	}
	return best
}
