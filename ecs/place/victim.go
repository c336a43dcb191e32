package place

import (
	"cmp"
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Running is a task of a service that might be stopped to scale it in.
type Running struct {
	ID       string
	Instance string // ID of a candidate; a task on an unknown instance goes first
}

// ScaleIn is a choice of tasks to stop.
type ScaleIn struct {
	Strategy   []shape.PlacementStrategy // optional; a service's default when empty
	Tasks      []Running
	Candidates []Instance // where the tasks run; their Peers are not read, Tasks are what counts
	Seed       uint64     // of ties
}

// Victims picks n of the tasks, in the order in which to stop them: by the strategy, from the zone with most of its tasks, then from the
// instance with most; with binpack, where most room remains.
func (c ScaleIn) Victims(n int) []string {
	if len(c.Strategy) == 0 {
		c.Strategy = DefaultService()
	}
	known := map[string]*site{}
	for _, s := range sites(c.Candidates) {
		s.Peers = 0
		known[s.ID] = s
	}
	c.Tasks = slices.Clone(c.Tasks)
	slices.SortFunc(c.Tasks, func(a, b Running) int { return compareIDs(a.ID, b.ID) })
	var out []string
	for len(out) < n && len(c.Tasks) > 0 {
		i := c.worst(known)
		out = append(out, c.Tasks[i].ID)
		c.Tasks = slices.Delete(c.Tasks, i, i+1)
	}
	return out
}

// worst is the index of the next task to stop.
func (c ScaleIn) worst(known map[string]*site) int {
	pool := c.Tasks
	left := make([]int, len(pool))
	for i := range pool {
		left[i] = i
		if known[pool[i].Instance] == nil {
			return i
		}
	}
	var path []string
	for _, s := range c.Strategy {
		switch aws.Val(s.Type) {
		case shape.PlacementStrategyTypeSpread:
			path = append(path, aws.Val(s.Field))
			left = crowded(path, left, pool, known)
		case shape.PlacementStrategyTypeBinpack:
			left = roomiest(aws.Val(s.Field), left, pool, known)
		}
	}
	return slices.MinFunc(left, func(a, b int) int {
		return cmp.Or(cmp.Compare(mix(c.Seed, 0, pool[a].ID), mix(c.Seed, 0, pool[b].ID)), cmp.Compare(a, b))
	})
}

// crowded keeps the tasks in the value of a field that holds most of them.
func crowded(path []string, left []int, pool []Running, known map[string]*site) []int {
	count := map[string]int64{}
	at := func(i int) string { return group(&known[pool[i].Instance].Instance, path) }
	for i := range pool {
		count[at(i)]++
	}
	return most(left, func(i int) int64 { return count[at(i)] })
}

func roomiest(field string, in []int, pool []Running, known map[string]*site) []int {
	return most(in, func(i int) int64 { return left(known[pool[i].Instance], field) })
}

func most(in []int, of func(int) int64) []int {
	var out []int
	var best int64
	for _, i := range in {
		switch v := of(i); {
		case len(out) == 0 || v > best:
			out, best = []int{i}, v
		case v == best:
			out = append(out, i)
		}
	}
	return out
}
