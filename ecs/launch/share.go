package launch

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Portion is how many of a number of tasks a capacity provider gets.
type Portion struct {
	Provider string
	Count    int
}

// Share divides n tasks that are to start among the capacity providers of a strategy, in its order. have is how many of the same tasks each
// provider has already: they count, so that tasks that start one by one end up shared as those that start at once. A base is filled first;
// of the rest each provider gets its weight's part, rounded so that none is a whole task away from it. No provider stands in for another.
func Share(strategy []shape.CapacityProviderStrategyItem, have map[string]int, n int) []Portion {
	out := make([]Portion, len(strategy))
	for i, s := range strategy {
		out[i].Provider = aws.Val(s.CapacityProvider)
	}
	for range n {
		i := next(strategy, have, out)
		if i < 0 {
			break
		}
		out[i].Count++
	}
	return out
}

// Split is a wish for tasks on FARGATE as one wish for each capacity provider that has a part in it. Spot comes last: the others may interrupt
// Spot tasks, and should not interrupt those of their own wish.
func Split(whole Spec, strategy []shape.CapacityProviderStrategyItem, have map[string]int) []Spec {
	var out, spot []Spec
	for _, p := range Share(strategy, have, whole.Count) {
		part := whole
		part.LaunchType, part.CapacityProvider, part.Count = shape.LaunchTypeFargate, p.Provider, p.Count
		switch {
		case p.Count == 0:
		case p.Provider == shape.CapacityProviderTypeFargateSpot:
			spot = append(spot, part)
		default:
			out = append(out, part)
		}
	}
	return append(out, spot...)
}

// next is the index of the provider that the next task goes to; -1 when none takes any.
func next(strategy []shape.CapacityProviderStrategyItem, have map[string]int, got []Portion) int {
	best := -1
	var least float64
	for i, s := range strategy {
		beyond := have[got[i].Provider] + got[i].Count - int(aws.Val(s.Base))
		if aws.Val(s.Base) > 0 && beyond < 0 {
			return i
		}
		weight := aws.Val(s.Weight)
		if weight <= 0 {
			continue
		}
		if full := float64(max(0, beyond)+1) / float64(weight); best < 0 || full < least {
			best, least = i, full
		}
	}
	return best
}
