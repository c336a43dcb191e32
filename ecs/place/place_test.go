package place_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/place/query"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// instance is one in zone us-east-1<zone> with 1,024 CPU units and 1,000 MiB.
func instance(id, zone string, change ...func(*place.Instance)) place.Instance {
	i := place.Instance{
		ID: id, Node: "n-" + id, LaunchType: shape.LaunchTypeEc2, Status: ecs.InstanceActive, Connected: true,
		Attributes: []shape.Attribute{{Name: aws.Ptr(place.Zone), Value: aws.Ptr("us-east-1" + zone)}, {Name: aws.Ptr("ssd")}, {Name: aws.Ptr("ecs.capability.efs")}},
		Total:      ecs.Amounts{CPU: 1024, MemoryMiB: 1000, TCP: []int{22}},
	}
	for _, f := range change {
		f(&i)
	}
	return i
}

func having(name, value string) func(*place.Instance) {
	return func(i *place.Instance) {
		i.Attributes = append(i.Attributes, shape.Attribute{Name: aws.Ptr(name), Value: aws.Ptr(value)})
	}
}

func strategy(pairs ...string) []shape.PlacementStrategy {
	var out []shape.PlacementStrategy
	for _, p := range pairs {
		kind, field, _ := strings.Cut(p, "=")
		out = append(out, shape.PlacementStrategy{Type: aws.Ptr(kind), Field: aws.Ptr(field)})
	}
	return out
}

func memberOf(t *testing.T, text string) []*query.Expr {
	t.Helper()
	e, err := query.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return []*query.Expr{e}
}

func TestFilters(t *testing.T) {
	needs := ecs.Amounts{CPU: 256, MemoryMiB: 100, TCP: []int{80}, Tasks: 1}
	for _, c := range []struct {
		name   string
		i      place.Instance
		r      place.Request
		want   place.Reason
		detail string
	}{
		{"fits", instance("a", "a"), place.Request{Needs: needs}, "", ""},
		{"deregistered", instance("a", "a", func(i *place.Instance) { i.Status = ecs.InstanceInactive }), place.Request{}, place.Inactive, ""},
		{"draining", instance("a", "a", func(i *place.Instance) { i.Status = ecs.InstanceDraining }), place.Request{}, place.Draining, ""},
		{"agent gone", instance("a", "a", func(i *place.Instance) { i.Connected = false }), place.Request{}, place.Agent, ""},
		{"external", instance("a", "a"), place.Request{LaunchType: "EXTERNAL"}, place.LaunchType, "EXTERNAL is required"},
		{"cpu", instance("a", "a", func(i *place.Instance) { i.Used.CPU = 1000 }), place.Request{Needs: needs}, place.CPU, "256 CPU units are required, 24 are available"},
		{"memory", instance("a", "a", func(i *place.Instance) { i.Used.MemoryMiB = 950 }), place.Request{Needs: needs}, place.Memory, "100 MiB of memory are required, 50 are available"},
		{"another zone's subnets", instance("a", "a"), place.Request{Zones: map[string]int{"us-east-1b": 9}}, place.Location, "none of the subnets is in us-east-1a"},
		{"no free address", instance("a", "a"), place.Request{Zones: map[string]int{"us-east-1a": 0}}, place.Interfaces, "the subnets in us-east-1a have no free address"},
		{"an address", instance("a", "a"), place.Request{Zones: map[string]int{"us-east-1a": 1}}, "", ""},
		{"storage", instance("a", "a", func(i *place.Instance) { i.Total.StorageGiB, i.Used.StorageGiB = 100, 90 }), place.Request{Needs: ecs.Amounts{StorageGiB: 20}}, place.Storage, "20 GiB of ephemeral storage are required, 10 are available"},
		{"no storage at all", instance("a", "a"), place.Request{Needs: ecs.Amounts{StorageGiB: 20}}, place.Storage, "20 GiB of ephemeral storage are required, 0 are available"},
		{"exactly", instance("a", "a", func(i *place.Instance) { i.Used = ecs.Amounts{CPU: 768, MemoryMiB: 900} }), place.Request{Needs: needs}, "", ""},
		{"nothing wanted of a full one", instance("a", "a", func(i *place.Instance) { i.Used.CPU = 2000 }), place.Request{}, "", ""},
		{"port of a task", instance("a", "a", func(i *place.Instance) { i.Used.TCP = []int{80} }), place.Request{Needs: needs}, place.Ports, "port 80/tcp is in use"},
		{"port of the node", instance("a", "a"), place.Request{Needs: ecs.Amounts{TCP: []int{22}}}, place.Ports, "port 22/tcp is in use"},
		{"other protocol", instance("a", "a"), place.Request{Needs: ecs.Amounts{UDP: []int{22}}}, "", ""},
		{"too many ports", instance("a", "a", func(i *place.Instance) { i.Used.UDP = make([]int, 99) }), place.Request{Needs: needs}, place.Ports, "more than 100 ports would be reserved"},
		{"attribute", instance("a", "a"), place.Request{Attributes: []shape.Attribute{{Name: aws.Ptr("gpu")}}}, place.Attribute, "gpu is missing"},
		{"attribute without its part", instance("a", "a"), place.Request{Attributes: []shape.Attribute{{Name: aws.Ptr("ecs.capability.efs")}}}, place.Attribute, "ecs.capability.efs is not served in this region yet"},
		{"attribute by name", instance("a", "a"), place.Request{Attributes: []shape.Attribute{{Name: aws.Ptr("ssd")}}}, "", ""},
		{"attribute's value", instance("a", "a"), place.Request{Attributes: []shape.Attribute{{Name: aws.Ptr(place.Zone), Value: aws.Ptr("x")}}}, place.Attribute, "ecs.availability-zone is us-east-1a, not x"},
		{
			"architecture", instance("a", "a", having(place.Architecture, "x86_64")),
			place.Request{Architecture: "ARM64"}, place.Attribute, "ecs.cpu-architecture is x86_64, not ARM64",
		},
		{
			"architecture in other letters", instance("a", "a", having(place.Architecture, "x86_64")),
			place.Request{Architecture: "X86_64"}, "", "",
		},
		{"memberOf", instance("a", "a"), place.Request{MemberOf: memberOf(t, "attribute:ecs.availability-zone in [us-east-1b]")}, place.MemberOf, ""},
		{"distinct", instance("a", "a", func(i *place.Instance) { i.Peers = 1 }), place.Request{Distinct: true}, place.Distinct, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, detail, ok := place.Check(c.r, c.i)
			if got != c.want || detail != c.detail || ok != (c.want == "") {
				t.Errorf("got %q, %q, %v; want %q, %q", got, detail, ok, c.want, c.detail)
			}
		})
	}
}

func TestStrategies(t *testing.T) {
	peers := func(n int) func(*place.Instance) { return func(i *place.Instance) { i.Peers = n } }
	usedMemory := func(n int64) func(*place.Instance) { return func(i *place.Instance) { i.Used.MemoryMiB = n } }
	needs := ecs.Amounts{CPU: 100, MemoryMiB: 100, Tasks: 1}
	for _, c := range []struct {
		name       string
		strategy   []shape.PlacementStrategy
		candidates []place.Instance
		count      int
		want       []string
	}{
		{
			"spread over zones, then instances", place.DefaultService(),
			[]place.Instance{instance("a1", "a", peers(1)), instance("a2", "a"), instance("b1", "b")},
			3, []string{"b1", "a2", "b1"},
		},
		{
			"a full zone still counts", strategy("spread=attribute:ecs.availability-zone", "binpack=memory"),
			[]place.Instance{instance("a1", "a", peers(5), usedMemory(1000)), instance("a2", "a"), instance("b1", "b", peers(4))},
			3, []string{"b1", "b1", "a2"},
		},
		{
			"a later spread counts within the earlier", strategy("spread=attribute:ecs.availability-zone", "spread=attribute:rack"),
			[]place.Instance{
				instance("a1", "a", having("rack", "1")),
				instance("a2", "a", peers(1), having("rack", "2")),
				instance("b1", "b", peers(2), having("rack", "1")),
			},
			1, []string{"a1"},
		},
		{
			"binpack fills the fullest that fits", strategy("binpack=memory"),
			[]place.Instance{instance("a", "a", usedMemory(500)), instance("b", "a", usedMemory(800)), instance("c", "a", usedMemory(950))},
			3, []string{"b", "b", "a"},
		},
		{
			"binpack in upper case", strategy("binpack=CPU"),
			[]place.Instance{instance("a", "a"), instance("b", "a", func(i *place.Instance) { i.Used.CPU = 1 })},
			1, []string{"b"},
		},
		{
			"strategies are best effort", strategy("spread=attribute:ecs.availability-zone"),
			[]place.Instance{instance("a", "a", peers(9)), instance("b", "b", usedMemory(1000))},
			1, []string{"a"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := place.Place(place.Request{Count: c.count, Needs: needs, Strategy: c.strategy, Seed: 3}, c.candidates)
			if diff := cmp.Diff(c.want, got.Placed); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRandomDependsOnTheSeedOnly(t *testing.T) {
	candidates := []place.Instance{instance("a", "a"), instance("b", "a"), instance("c", "a"), instance("d", "a")}
	seen := map[string]int{}
	for seed := range uint64(400) {
		r := place.Request{Count: 1, Strategy: strategy("random"), Seed: seed}
		first := place.Place(r, candidates).Placed[0]
		if again := place.Place(r, candidates).Placed[0]; again != first {
			t.Fatalf("seed %d placed on %s, then on %s", seed, first, again)
		}
		seen[first]++
	}
	for _, c := range candidates {
		if n := seen[c.ID]; n < 60 || n > 140 {
			t.Errorf("%s was chosen %d times of 400: %v", c.ID, n, seen)
		}
	}
}

func TestCandidatesOfOneNodeShareItsLedger(t *testing.T) {
	shared := func(i *place.Instance) { i.Node = "n" }
	r := place.Place(place.Request{Count: 3, Needs: ecs.Amounts{CPU: 512}}, []place.Instance{instance("a", "a", shared), instance("b", "a", shared)})
	if len(r.Placed) != 2 || r.Refusal == nil || r.Refusal.Reason != place.CPU {
		t.Errorf("placed %v, refusal %+v", r.Placed, r.Refusal)
	}
}

func TestSentences(t *testing.T) {
	const head = "no container instance met all of its requirements. "
	full := func(i *place.Instance) { i.Used.CPU = 1024 }
	for _, c := range []struct {
		name       string
		r          place.Request
		candidates []place.Instance
		want       string
	}{
		{"none", place.Request{}, nil, head + "Reason: No Container Instances were found in your cluster."},
		{
			"only draining ones", place.Request{}, []place.Instance{instance("a", "a", func(i *place.Instance) { i.Status = ecs.InstanceDraining })},
			head + "Reason: No Container Instances were found in your cluster.",
		},
		{
			"cpu", place.Request{Needs: ecs.Amounts{CPU: 1}}, []place.Instance{instance("a", "a", full)},
			head + "The closest matching (container-instance a) has insufficient CPU units available.",
		},
		{
			"memory", place.Request{Needs: ecs.Amounts{MemoryMiB: 1001}}, []place.Instance{instance("a", "a")},
			head + "The closest matching (container-instance a) has insufficient memory available.",
		},
		{
			"ports", place.Request{Needs: ecs.Amounts{TCP: []int{22}}}, []place.Instance{instance("a", "a")},
			head + "The closest matching (container-instance a) is already using a port required by your task.",
		},
		{
			"attribute", place.Request{Attributes: []shape.Attribute{{Name: aws.Ptr("gpu")}}}, []place.Instance{instance("a", "a")},
			head + "The closest matching (container-instance a) is missing an attribute required by your task.",
		},
		{
			"agent", place.Request{}, []place.Instance{instance("a", "a", func(i *place.Instance) { i.Connected = false })},
			head + `The closest matching (container-instance a) encountered error "AGENT".`,
		},
		{
			"distinct", place.Request{Distinct: true}, []place.Instance{instance("a", "a", func(i *place.Instance) { i.Peers = 1 })},
			head + `The closest matching (container-instance a) encountered error "DistinctInstance placement constraint unsatisfied.".`,
		},
		{
			"counted", place.Request{Needs: ecs.Amounts{CPU: 1}, Attributes: []shape.Attribute{{Name: aws.Ptr("ssd")}}},
			[]place.Instance{instance("c", "a", full), instance("b", "a", full), instance("a", "a", func(i *place.Instance) { i.Attributes = i.Attributes[:1] })},
			head + "The closest matching (container-instance b) has insufficient CPU units available. Of 3 container instances: 1 ATTRIBUTE, 2 RESOURCE:CPU.",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.Count = 1
			got := place.Place(c.r, c.candidates)
			if got.Refusal == nil {
				t.Fatalf("placed on %v", got.Placed)
			}
			if s := got.Refusal.Sentence(); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
		})
	}
}

func TestVictims(t *testing.T) {
	candidates := []place.Instance{instance("a1", "a"), instance("a2", "a"), instance("b1", "b"), instance("c1", "c", func(i *place.Instance) { i.Used.MemoryMiB = 900 })}
	tasks := []place.Running{{"t1", "a1"}, {"t2", "a1"}, {"t3", "a2"}, {"t4", "b1"}}
	for _, c := range []struct {
		name     string
		strategy []shape.PlacementStrategy
		tasks    []place.Running
		n        int
		want     func([]string) bool
	}{
		{"the fullest instance of the fullest zone", nil, tasks, 1, func(v []string) bool { return v[0] == "t1" || v[0] == "t2" }},
		{"then zones stay even", nil, tasks, 3, func(v []string) bool { return len(v) == 3 && v[1] != "t4" }},
		{"all there are", nil, tasks, 9, func(v []string) bool { return len(v) == 4 }},
		{
			"on an unknown instance first", nil, append(slices.Clone(tasks), place.Running{ID: "t9", Instance: "gone"}), 1,
			func(v []string) bool { return v[0] == "t9" },
		},
		{
			"binpack: where most room remains", strategy("binpack=memory"),
			[]place.Running{{"t1", "c1"}, {"t2", "b1"}}, 1, func(v []string) bool { return v[0] == "t2" },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (place.ScaleIn{Strategy: c.strategy, Seed: 1, Tasks: c.tasks, Candidates: candidates}).Victims(c.n); !c.want(got) {
				t.Errorf("got %v", got)
			}
		})
	}
}
