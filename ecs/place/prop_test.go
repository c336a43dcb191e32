package place_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/place/query"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var zoneA, _ = query.Parse("attribute:ecs.availability-zone in [us-east-1a, us-east-1b]")

func drawInstances(t *rapid.T) []place.Instance {
	var out []place.Instance
	for n := range rapid.IntRange(0, 6).Draw(t, "instances") {
		i := place.Instance{
			ID:         fmt.Sprintf("i%d", n),
			Node:       fmt.Sprintf("n%d", rapid.IntRange(0, n).Draw(t, "node")),
			LaunchType: rapid.SampledFrom([]string{"EC2", "EC2", "EXTERNAL"}).Draw(t, "launchType"),
			Status:     rapid.SampledFrom([]string{ecs.InstanceActive, ecs.InstanceActive, ecs.InstanceDraining, ecs.InstanceInactive}).Draw(t, "status"),
			Connected:  rapid.IntRange(0, 4).Draw(t, "connected") > 0,
			Attributes: []shape.Attribute{{Name: aws.Ptr(place.Zone), Value: aws.Ptr("us-east-1" + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone"))}},
			Peers:      rapid.IntRange(0, 3).Draw(t, "peers"),
		}
		out = append(out, i)
	}
	// What a ledger has is the same for every candidate that shares it.
	ledgers := map[string]place.Instance{}
	for i := range out {
		l, ok := ledgers[out[i].Node]
		if !ok {
			l.Total = ecs.Amounts{CPU: rapid.Int64Range(0, 2048).Draw(t, "cpu"), MemoryMiB: rapid.Int64Range(0, 2048).Draw(t, "memory"), StorageGiB: rapid.Int64Range(0, 100).Draw(t, "storage"), TCP: []int{22}}
			l.Used = ecs.Amounts{CPU: rapid.Int64Range(0, l.Total.CPU).Draw(t, "used cpu"), MemoryMiB: rapid.Int64Range(0, l.Total.MemoryMiB).Draw(t, "used memory"),
				StorageGiB: rapid.Int64Range(0, l.Total.StorageGiB).Draw(t, "used storage")}
			ledgers[out[i].Node] = l
		}
		out[i].Total, out[i].Used = l.Total, l.Used
	}
	return out
}

func drawRequest(t *rapid.T) place.Request {
	r := place.Request{
		Count:      rapid.IntRange(1, 10).Draw(t, "count"),
		LaunchType: rapid.SampledFrom([]string{"", "EC2", "EXTERNAL"}).Draw(t, "launch type"),
		Needs:      ecs.Amounts{CPU: rapid.Int64Range(0, 700).Draw(t, "need cpu"), MemoryMiB: rapid.Int64Range(0, 700).Draw(t, "need memory"), Tasks: 1},
		Distinct:   rapid.Bool().Draw(t, "distinct"),
		Seed:       rapid.Uint64().Draw(t, "seed"),
	}
	if rapid.Bool().Draw(t, "port") {
		r.Needs.TCP = []int{rapid.SampledFrom([]int{22, 80, 81}).Draw(t, "which port")}
	}
	if rapid.Bool().Draw(t, "interfaces") {
		r.Zones = rapid.MapOfN(rapid.SampledFrom([]string{"us-east-1a", "us-east-1b", "us-east-1c"}), rapid.IntRange(0, 4), 0, 3).Draw(t, "addresses by zone")
	}
	if rapid.Bool().Draw(t, "memberOf") {
		r.MemberOf = []*query.Expr{zoneA}
	}
	for range rapid.IntRange(0, 3).Draw(t, "strategies") {
		r.Strategy = append(r.Strategy, rapid.SampledFrom([]shape.PlacementStrategy{
			{Type: aws.Ptr("spread"), Field: aws.Ptr("attribute:" + place.Zone)},
			{Type: aws.Ptr("spread"), Field: aws.Ptr("instanceId")},
			{Type: aws.Ptr("binpack"), Field: aws.Ptr("memory")},
			{Type: aws.Ptr("binpack"), Field: aws.Ptr("cpu")},
			{Type: aws.Ptr("random")},
		}).Draw(t, "strategy"))
	}
	return r
}

// What is placed fits, as does each task before it; what is refused is refused by a filter on every candidate.
func TestPlaceProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates, r := drawInstances(t), drawRequest(t)
		got := place.Place(r, candidates)
		now, given := slices.Clone(candidates), maps.Clone(r.Zones)
		if r.Zones != nil {
			r.Zones = maps.Clone(given) // counts down below
		}
		for _, id := range got.Placed {
			i := slices.IndexFunc(now, func(c place.Instance) bool { return c.ID == id })
			if why, _, ok := place.Check(r, now[i]); !ok {
				t.Fatalf("%s was chosen although %s", id, why)
			}
			book(now, i, r.Needs)
			if zone, _ := place.AttributeOf(now[i].Attributes, place.Zone); r.Zones != nil {
				r.Zones[zone]--
			}
		}
		for zone, left := range r.Zones {
			if left < 0 {
				t.Fatalf("%d addresses of %s were given, %d were free", given[zone]-left, zone, given[zone])
			}
		}
		for _, c := range now {
			if c.Used.CPU > c.Total.CPU || c.Used.MemoryMiB > c.Total.MemoryMiB || c.Used.StorageGiB > c.Total.StorageGiB {
				t.Fatalf("%s is over-committed: %+v of %+v", c.ID, c.Used, c.Total)
			}
		}
		if (got.Refusal == nil) != (len(got.Placed) == r.Count) {
			t.Fatalf("%d of %d placed, refusal %+v", len(got.Placed), r.Count, got.Refusal)
		}
		if got.Refusal != nil {
			checkRefusal(t, got.Refusal, r, now)
		}
	})
}

func book(now []place.Instance, i int, needs ecs.Amounts) {
	node := now[i].Node
	now[i].Peers++
	for j := range now {
		if now[j].Node == node {
			now[j].Used = place.Add(now[j].Used, needs)
		}
	}
}

func checkRefusal(t *rapid.T, refusal *place.Refusal, r place.Request, now []place.Instance) {
	total := 0
	for _, c := range refusal.Counts {
		total += c.N
	}
	if total != len(now) {
		t.Fatalf("%d candidates were counted of %d", total, len(now))
	}
	for _, c := range now {
		if _, _, ok := place.Check(r, c); ok {
			t.Fatalf("refused although %s fits", c.ID)
		}
	}
}

// The order of the candidates does not matter, and the input is left alone.
func TestPlaceIsAFunction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates, r := drawInstances(t), drawRequest(t)
		shuffled := rapid.Permutation(candidates).Draw(t, "order")
		first := place.Place(r, candidates)
		if diff := cmp.Diff(first, place.Place(r, shuffled), cmp.AllowUnexported(place.Miss{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Booking and releasing in any order leaves what was there.
func TestReleaseUndoesAdd(t *testing.T) {
	ports := rapid.SliceOfNDistinct(rapid.IntRange(1, 50), 0, 5, rapid.ID[int])
	rapid.Check(t, func(t *rapid.T) {
		base := ecs.Amounts{CPU: 10, MemoryMiB: 10, Tasks: 2, TCP: []int{100, 200}}
		needs := ecs.Amounts{CPU: rapid.Int64Range(0, 99).Draw(t, "cpu"), Tasks: 1, TCP: ports.Draw(t, "tcp"), UDP: ports.Draw(t, "udp")}
		if diff := cmp.Diff(base, place.Release(place.Add(base, needs), needs)); diff != "" {
			t.Fatal(diff)
		}
	})
}
