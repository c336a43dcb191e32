package place

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place/query"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Architecture is the attribute that names a container instance's processor.
const Architecture = "ecs.cpu-architecture"

// Request is a number of like tasks to place.
type Request struct {
	Count        int    // required
	LaunchType   string // optional; any when empty
	Group        string // optional; of the tasks, for expressions about groups
	Needs        ecs.Amounts
	Attributes   []shape.Attribute // required of the instance, with that value where one is given
	Architecture string            // optional; refuses instances that say they have another
	MemberOf     []*query.Expr
	// Zones are where tasks may be that need an interface in a subnet, with how many addresses are free there; nil for tasks without one.
	Zones    map[string]int
	Distinct bool // no two tasks of the service or group on one instance
	Strategy []shape.PlacementStrategy
	Seed     uint64 // of random choices: the strategy "random" and ties
}

// Result says where tasks go.
type Result struct {
	Placed  []string // instance IDs, one a task, in order; fewer than Count when there was no place
	Refusal *Refusal // why the next task has no place; nil when all have one
}

// Place finds places for the request's tasks one by one: each counts for the next.
func Place(r Request, candidates []Instance) Result {
	r.Zones = maps.Clone(r.Zones) // it counts down
	all := sites(candidates)
	order := ranking(r, all)
	fit := slices.DeleteFunc(slices.Clone(all), func(s *site) bool { return !fits(s, &r) })
	var out Result
	for n := range r.Count {
		if len(fit) == 0 {
			out.Refusal = explain(&r, all)
			return out
		}
		best := order.first(fit, n)
		best.take(&r)
		out.Placed = append(out.Placed, best.ID)
		// Only what shares the ledger, or a zone's last address, has become another.
		spent := r.Zones != nil && r.Zones[best.zone()] == 0
		fit = slices.DeleteFunc(fit, func(s *site) bool { return (spent || s.used == best.used) && !fits(s, &r) })
	}
	return out
}

func fits(s *site, r *Request) bool {
	stage, _ := check(s, r)
	return stage == len(filters)
}

// Eligible says whether a candidate is one that such tasks belong on, whether or not it has room and an agent just now: it is ACTIVE, of the
// launch type, and satisfies the expressions. With attributes it also has those that are required.
func Eligible(r Request, candidate Instance, attributes bool) bool {
	if !attributes {
		r.Attributes, r.Architecture, r.Zones = nil, "", nil
	}
	stage, _ := check(sites([]Instance{candidate})[0], &r)
	if stage == len(filters) {
		return true
	}
	switch filters[stage].reason {
	case Inactive, Draining, LaunchType, Attribute, MemberOf, Location:
		return false
	default: // room and an agent come and go
		return true
	}
}

// Check says whether a task with these needs fits on this very instance, as StartTask asks it: constraints and strategies do not apply.
func Check(r Request, candidate Instance) (Reason, string, bool) {
	s := sites([]Instance{candidate})[0]
	stage, detail := check(s, &r)
	if stage == len(filters) {
		return "", "", true
	}
	return filters[stage].reason, detail, false
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func compareIDs(a, b string) int { return strings.Compare(a, b) }
