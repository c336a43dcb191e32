package compile

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/berth-ecs/berth/nodeconf"
)

// naming draws a change of zones and values.
func (w world) naming(was nodeconf.Config) (d nodeconf.Delta) {
	d.Set.Zones, d.Set.Values = map[string]nodeconf.Zone{}, map[string]nodeconf.Value{}
	for range 1 + w.upTo(4) {
		zone := w.pick("z1", "z2")
		switch w.upTo(3) {
		case 0:
			z := nodeconf.Zone{ID: zone, Name: w.pick("a", "b")}
			for range w.upTo(2) {
				if v := w.vpc(); !slices.Contains(z.VPCs, v) {
					z.VPCs = append(z.VPCs, v)
				}
			}
			if z.Public = w.upTo(3) == 0; z.Public {
				z.VPCs = nil
			}
			d.Set.Zones[zone] = z
		case 1:
			if keys := slices.Sorted(maps.Keys(was.Values)); len(keys) > 0 {
				d.Gone = append(d.Gone, nodeconf.Key{Kind: "Values", ID: w.pick(keys...)})
			}
			if ids := slices.Sorted(maps.Keys(was.Zones)); len(ids) > 0 && w.flip() {
				d.Gone = append(d.Gone, nodeconf.Key{Kind: "Zones", ID: w.pick(ids...)})
			}
		default:
			name := w.pick("x", "y", "z")
			d.Set.Values[nodeconf.ValueKey(zone, name, "A", "i")] = nodeconf.Value{Zone: zone, Name: name, Type: "A", Value: fmt.Sprintf("10.0.0.%d", w.upTo(2))}
		}
	}
	d.Gone = slices.DeleteFunc(d.Gone, func(k nodeconf.Key) bool {
		_, zone := d.Set.Zones[k.ID]
		_, value := d.Set.Values[k.ID]
		return zone || value
	})
	return d
}

// plainNames adds what a node needs of zones to what it has: those of VPCs that it has interfaces in, and of its home's.
func plainNames(h *history, node string, vpcs map[string]bool, add func(section, id string, there bool)) {
	all := maps.Clone(vpcs)
	if h.homes[node] {
		def := h.x.records.defaultOf(homeKey(home))
		add("Homes", homeKey(home), def != nil)
		if def != nil {
			all[def.ID] = true
		}
	}
	for id, z := range h.names.Zones {
		mine := z.Public && len(all) > 0 || slices.ContainsFunc(z.VPCs, func(v string) bool { return all[v] })
		add("Zones", id, mine)
		for key, v := range h.names.Values {
			add("Values", key, mine && v.Zone == id)
		}
	}
}

// A value that comes or goes is told to the nodes of its zone's VPCs and to machines that count as in one of them, alone; a zone of another VPC to nobody.
func TestNames(t *testing.T) {
	h := inOrder()
	zone := nodeconf.Zone{ID: "z", Name: "prod.local", VPCs: []string{"vpc-2"}}
	first := nodeconf.Value{Zone: "z", Name: "web.prod.local", Type: "A", TTL: 10, Value: "10.0.0.4"}
	if d := h.x.Name(nodeconf.Delta{Set: nodeconf.Resources{Zones: map[string]nodeconf.Zone{"z": zone}, Values: map[string]nodeconf.Value{"v1": first}}}); len(d) != 1 || d[nodes[0]].Set.Len() != 2 {
		t.Errorf("a zone of vpc-2, which is on n1 alone: %+v", d)
	}
	second := first
	second.Unhealthy = true
	if d := h.x.Name(nodeconf.Delta{Set: nodeconf.Resources{Values: map[string]nodeconf.Value{"v1": second}}}); len(d) != 1 || d[nodes[0]].Set.Len() != 1 || d[nodes[0]].Set.Values["v1"] != second {
		t.Errorf("one value: %+v", d)
	}
	if d := h.x.Name(nodeconf.Delta{Set: nodeconf.Resources{Values: map[string]nodeconf.Value{"v1": second}}}); len(d) != 0 {
		t.Errorf("the same again: %+v", d)
	}
	v := *h.x.records.VPCs["vpc-2"]
	v.Default = true
	h.x.Apply(Change{New: &v})
	if d := h.x.SetHome(nodes[1], home, true); len(d) != 1 || d[nodes[1]].Set.Len() != 3 || d[nodes[1]].Set.Homes[homeKey(home)].ID != "vpc-2" {
		t.Errorf("n2 counts as in vpc-2: %+v", d)
	}
	gone := h.x.Name(nodeconf.Delta{Gone: []nodeconf.Key{{Kind: "Zones", ID: "z"}}})
	if len(gone) != 2 || len(gone[nodes[0]].Gone) != 2 || len(gone[nodes[1]].Gone) != 2 {
		t.Errorf("the zone goes with its value: %+v", gone)
	}
	h.x.Name(nodeconf.Delta{Gone: []nodeconf.Key{{Kind: "Values", ID: "v1"}}})
	if n := h.x.names; len(n.zones)+len(n.zonesOf)+len(n.values)+len(n.zoneOf) != 0 {
		t.Errorf("left: %+v", n)
	}
}
