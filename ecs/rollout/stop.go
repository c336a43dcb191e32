package rollout

import (
	"cmp"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs/place"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func scaling(t Task) string { return "Scaling activity initiated by (deployment " + t.Deployment + ")" }

func (p *planner) stop(t Task, reason string) {
	p.out.Stops = append(p.out.Stops, Stop{
		Task: t.ID, Running: t.running(), Code: shape.TaskStopCodeServiceSchedulerInitiated, Reason: reason,
	})
}

// stopAtOnce stops what is not RUNNING and has no future: on a DRAINING instance, or of another deployment. No healthy task is lost by it.
func (p *planner) stopAtOnce() {
	keep := ""
	if i := p.fallback(); i >= 0 {
		keep = p.status.Deployments[i].ID
	}
	p.wanted = slices.DeleteFunc(p.wanted, func(t Task) bool {
		other := t.Deployment != p.target.ID && t.Deployment != keep
		if t.running() || !t.Draining && !other || p.protected(t) {
			return false
		}
		p.stop(t, scaling(t))
		return true
	})
}

// stopReplaced stops what is leaving: as much as healthy tasks have replaced, then, where missing tasks have no room, as much as
// minimumHealthyPercent allows.
func (p *planner) stopReplaced(missing int) {
	replaced := len(p.leaving) - max(0, p.desired-p.countHealthy(p.good))
	room := p.makeRoom(missing)
	if replaced <= 0 && room <= 0 {
		return
	}
	for _, t := range p.order(p.leaving) {
		switch {
		case p.healthy(t) && p.spare() <= 0:
			continue
		case replaced > 0:
		case room <= 0 || !p.mayMakeRoom(t):
			continue
		}
		p.drop(t)
		replaced--
		room--
	}
}

// mayMakeRoom says whether a task that is not replaced yet may go. Unhealthy tasks go one by one: while a replacement is on its way, or
// another of them has just gone, the next waits. What was started to keep the service alive stays.
func (p *planner) mayMakeRoom(t Task) bool {
	if i := p.fallback(); i >= 0 && !t.running() && t.Deployment == p.status.Deployments[i].ID {
		return false
	}
	if !t.unhealthy() || t.Deployment != p.target.ID {
		return true
	}
	gone := slices.ContainsFunc(p.out.Stops, func(s Stop) bool { return unwell(s.Reason) })
	return !gone && len(p.good) == p.countHealthy(p.good)
}

// makeRoom is how many tasks should go to let missing ones start.
func (p *planner) makeRoom(missing int) int {
	room := max(0, p.ceiling-len(p.wanted))
	if p.blockedByResources() {
		return missing
	}
	return missing - min(missing, room)
}

// blockedByResources says whether the last try to place a task failed for want of something that a stopped task gives back.
func (p *planner) blockedByResources() bool {
	for cause := range p.status.Said {
		why, ok := strings.CutPrefix(cause, causePlace)
		if ok && (strings.HasPrefix(why, "RESOURCE:") || why == string(place.Distinct)) {
			return true
		}
	}
	return false
}

// stopExcess scales in: what is not healthy first, then by the service's strategy.
func (p *planner) stopExcess() {
	n := len(p.good) - p.desired
	if n <= 0 {
		return
	}
	for _, t := range p.order(p.good) {
		if n <= 0 || p.healthy(t) && p.spare() <= 0 {
			return
		}
		p.drop(t)
		n--
	}
}

// spare is how many healthy tasks may still be stopped.
func (p *planner) spare() int { return p.countHealthy(p.wanted) - p.floor }

// drop stops a task that should run so far.
func (p *planner) drop(t Task) {
	reason := scaling(t)
	if t.unhealthy() {
		reason = t.ailment()
	}
	p.stop(t, reason)
	same := func(o Task) bool { return o.ID == t.ID }
	p.wanted = slices.DeleteFunc(slices.Clone(p.wanted), same)
	p.good = slices.DeleteFunc(slices.Clone(p.good), same)
	p.leaving = slices.DeleteFunc(slices.Clone(p.leaving), same)
}

// order is the order in which tasks are stopped: unhealthy, not yet healthy, on DRAINING instances, then as the strategy says.
// Among the unhealthy the oldest goes first: else one could stay for good while its replacements, unhealthy too, come and go.
// Protected ones are not among them.
func (p *planner) order(tasks []Task) []Task {
	tasks = slices.DeleteFunc(slices.Clone(tasks), p.protected)
	var running []place.Running
	for _, t := range tasks {
		running = append(running, place.Running{ID: t.ID, Instance: t.Instance})
	}
	rank := map[string]int{}
	choice := place.ScaleIn{Strategy: p.Service.Strategy, Tasks: running, Candidates: p.Instances, Seed: p.Seed}
	n := len(tasks)
	if p.MaxStops > 0 {
		n = min(n, p.MaxStops)
	}
	for i, id := range choice.Victims(n) {
		rank[id] = i - n // before those that nobody chose
	}
	out := slices.Clone(tasks)
	slices.SortFunc(out, func(a, b Task) int {
		if n := p.value(a) - p.value(b); n != 0 || a.unhealthy() {
			return cmp.Or(n, byAge(a, b))
		}
		return cmp.Or(rank[a.ID]-rank[b.ID], byAge(a, b))
	})
	return out
}

func (p *planner) value(t Task) int {
	switch {
	case t.unhealthy():
		return 0
	case !p.healthy(t):
		return 1
	case t.Draining:
		return 2
	}
	return 3
}

func byAge(a, b Task) int {
	if n := a.CreatedAt.Compare(b.CreatedAt); n != 0 {
		return n
	}
	return strings.Compare(a.ID, b.ID)
}
