package launch_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/ecs/launch"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func item(provider string, weight, base int32) shape.CapacityProviderStrategyItem {
	return shape.CapacityProviderStrategyItem{CapacityProvider: &provider, Weight: aws.Ptr(weight), Base: aws.Ptr(base)}
}

func TestShare(t *testing.T) {
	type strategy = []shape.CapacityProviderStrategyItem
	for _, c := range []struct {
		name string
		of   strategy
		have map[string]int
		n    int
		want string
	}{
		{"one of one", strategy{item("A", 1, 0)}, nil, 3, "A 3"},
		{"halves", strategy{item("A", 1, 0), item("B", 1, 0)}, nil, 4, "A 2, B 2"},
		{"one to three", strategy{item("A", 1, 0), item("B", 3, 0)}, nil, 8, "A 2, B 6"},
		{"an odd one goes to the heavier", strategy{item("A", 1, 0), item("B", 4, 0)}, nil, 1, "A 0, B 1"},
		{"the base is filled first", strategy{item("A", 0, 2), item("B", 1, 0)}, nil, 5, "A 2, B 3"},
		{"a base that is there is none to fill", strategy{item("A", 0, 2), item("B", 1, 0)}, map[string]int{"A": 2}, 3, "A 0, B 3"},
		{"a base and a weight", strategy{item("A", 1, 2), item("B", 1, 0)}, nil, 6, "A 4, B 2"},
		{"what is there counts", strategy{item("A", 1, 0), item("B", 1, 0)}, map[string]int{"A": 3}, 3, "A 0, B 3"},
		{"nobody takes what has no weight", strategy{item("A", 0, 1)}, nil, 3, "A 1"},
	} {
		var got []string
		for _, p := range launch.Share(c.of, c.have, c.n) {
			got = append(got, fmt.Sprintf("%s %d", p.Provider, p.Count))
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}

// Tasks that start one by one are shared as those that start at once, and all are.
func TestShareDoesNotMindTheSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := []shape.CapacityProviderStrategyItem{
			item("A", rapid.Int32Range(1, 9).Draw(t, "a"), rapid.Int32Range(0, 4).Draw(t, "base")), item("B", rapid.Int32Range(0, 9).Draw(t, "b"), 0),
		}
		n := rapid.IntRange(1, 20).Draw(t, "n")
		once, have := map[string]int{}, map[string]int{}
		total := 0
		for _, p := range launch.Share(of, nil, n) {
			once[p.Provider] = p.Count
			total += p.Count
		}
		for range n {
			for _, p := range launch.Share(of, have, 1) {
				have[p.Provider] += p.Count
			}
		}
		if total != n || fmt.Sprint(once) != fmt.Sprint(have) {
			t.Fatalf("at once %v, one by one %v, of %d", once, have, n)
		}
	})
}
