package place_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
)

// subnets are free addresses by zone: subnets("a", 5) is one zone with 5.
func subnets(pairs ...any) map[string]int {
	out := map[string]int{}
	for pair := range slices.Chunk(pairs, 2) {
		out["us-east-1"+pair[0].(string)] = pair[1].(int)
	}
	return out
}

// Tasks with interfaces stay in the zones of their subnets, spread over them, and go where there are addresses.
func TestZonesOfSubnets(t *testing.T) {
	full := func(i *place.Instance) { i.Used.CPU = 1024 }
	three := []place.Instance{instance("a1", "a"), instance("b1", "b"), instance("c1", "c")}
	for _, c := range []struct {
		name       string
		zones      map[string]int
		candidates []place.Instance
		want       map[string]int // tasks by zone, of four
		refusal    string
	}{
		{"one subnet", subnets("b", 9), three, subnets("b", 4), ""},
		{"two of three zones", subnets("a", 9, "c", 9), three, subnets("a", 2, "c", 2), ""},
		{"few addresses in one", subnets("a", 1, "b", 9), three, subnets("a", 1, "b", 3), ""},
		{"no room in one", subnets("a", 9, "b", 9), []place.Instance{instance("a1", "a", full), instance("b1", "b")}, subnets("b", 4), ""},
		{"no node in one", subnets("a", 9, "b", 9), []place.Instance{instance("b1", "b"), instance("c1", "c")}, subnets("b", 4), ""},
		{"more nodes in one", subnets("a", 9, "b", 9), []place.Instance{instance("a1", "a"), instance("a2", "a"), instance("a3", "a"), instance("b1", "b")}, subnets("a", 2, "b", 2), ""},
		{"addresses for three", subnets("a", 1, "b", 2), three, subnets("a", 1, "b", 2), "the subnets in us-east-1a have no free address"},
		{"nodes elsewhere", subnets("d", 9), three, subnets(), "none of the subnets is in us-east-1a"},
		{"a node of no zone", subnets("a", 9), []place.Instance{{ID: "x", Node: "x", Status: ecs.InstanceActive, Connected: true}}, subnets(), "none of the subnets is in "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := place.Place(place.Request{Count: 4, Needs: ecs.Amounts{CPU: 100}, Zones: c.zones, Strategy: place.DefaultService()}, c.candidates)
			zones := map[string]int{}
			for _, id := range got.Placed {
				zones["us-east-1"+id[:1]]++
			}
			if diff := cmp.Diff(c.want, zones); diff != "" {
				t.Error(diff)
			}
			var detail string
			if got.Refusal != nil {
				detail = got.Refusal.Detail
			}
			if detail != c.refusal {
				t.Errorf("refused because %q, want %q", detail, c.refusal)
			}
		})
	}
}

// Spreading over zones never takes a task to a zone that has more of them than another one that had a place for it.
func TestSpreadIsEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates, r := drawInstances(t), drawRequest(t)
		r.Strategy = place.DefaultService()
		got := place.Place(r, candidates)
		now := slices.Clone(candidates)
		for n, id := range got.Placed {
			at := slices.IndexFunc(now, func(c place.Instance) bool { return c.ID == id })
			tasks := byZone(now)
			chosen := tasks[zoneOf(now[at])]
			for _, c := range now {
				if _, _, ok := place.Check(r, c); ok && tasks[zoneOf(c)] < chosen {
					t.Fatalf("task %d went to %s, whose zone has %d; %s has %d", n, id, chosen, zoneOf(c), tasks[zoneOf(c)])
				}
			}
			book(now, at, r.Needs)
			if r.Zones != nil {
				r.Zones[zoneOf(now[at])]--
			}
		}
	})
}

// Scaling in takes from the zones with most tasks: where they were even they are afterwards, within one.
func TestScalingInStaysEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var candidates []place.Instance
		var tasks []place.Running
		each := rapid.IntRange(1, 6).Draw(t, "tasks of each zone")
		for _, zone := range []string{"a", "b", "c"} {
			for i := range rapid.IntRange(1, 3).Draw(t, "nodes") {
				candidates = append(candidates, instance(fmt.Sprint(zone, i), zone))
			}
			for n := range each {
				tasks = append(tasks, place.Running{ID: fmt.Sprint(zone, "-", n), Instance: zone + "0"})
			}
		}
		out := place.ScaleIn{Tasks: tasks, Candidates: candidates, Seed: rapid.Uint64().Draw(t, "seed")}.Victims(rapid.IntRange(0, len(tasks)).Draw(t, "victims"))
		left := map[string]int{"a": each, "b": each, "c": each}
		for _, id := range out {
			left[id[:1]]--
		}
		if least, most := min(left["a"], left["b"], left["c"]), max(left["a"], left["b"], left["c"]); most-least > 1 {
			t.Fatalf("left %v", left)
		}
	})
}

func zoneOf(i place.Instance) string {
	zone, _ := place.AttributeOf(i.Attributes, place.Zone)
	return zone
}

func byZone(all []place.Instance) map[string]int {
	out := map[string]int{}
	for _, i := range all {
		out[zoneOf(i)] += i.Peers
	}
	return out
}
