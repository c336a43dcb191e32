package balancers

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/berth-ecs/berth/elb"
)

// scene is what one look finds of a load balancer.
type scene struct {
	Config
	*memory
	now    time.Time
	lb     *elb.LoadBalancer // nil: it is gone
	before *elb.LoadBalancerStatus
	tasks  []Task // in order of ARN
	places map[string]*elb.Place
	manned map[string]bool // zones with machines
	crowd  bool            // many machines are away: it is the servers that were, perhaps
	silent bool            // it has no listeners, so that no proxy says anything about it
}

// ending is a task that is to end, and how.
type ending struct {
	task   Task
	gone   bool
	reason string
}

// plan is what is to be done.
type plan struct {
	launch []elb.Zone
	end    []ending
	status *elb.LoadBalancerStatus // nil: there is none
	groups []Task                  // whose interfaces have other groups than they should
	places []*elb.Place            // of interfaces that are gone
	after  time.Duration           // when to look again though nothing changes; 0: never
}

// again is how soon there is another try where there was no room.
const again = 5 * time.Second

// absence is since when a machine's agent has been away.
type absence struct {
	since time.Time
	crowd bool // many others were away, too
}

// limit is how long the agent may be away before its nodes are given up.
func (s *scene) limit(a absence) time.Duration {
	if a.crowd {
		return max(s.Lost, s.Return)
	}
	return s.Lost
}

// missing says whether a task's machine has been away for so long that clients are led elsewhere, where they can be.
func (s *scene) missing(t Task) bool {
	a, away := s.away[t.Machine]
	return away && !t.Connected && s.now.Sub(a.since) >= s.Lost
}

// lost says whether a task's machine has been away for too long.
func (s *scene) lost(t Task) bool {
	return s.missing(t) && s.now.Sub(s.away[t.Machine].since) >= s.limit(s.away[t.Machine])
}

// look keeps in mind since when machines are away, and answers how long until the next of them is missing or lost.
func (s *scene) look() (next time.Duration) {
	for _, t := range s.tasks {
		if t.Connected {
			delete(s.away, t.Machine)
			continue
		}
		a, away := s.away[t.Machine]
		if !away {
			a.since = s.now
		}
		a.crowd = a.crowd || s.crowd
		s.away[t.Machine] = a
		for _, limit := range []time.Duration{s.Lost, s.limit(a)} {
			if left := limit - s.now.Sub(a.since); left > 0 {
				next = soonest(next, left)
			}
		}
	}
	return next
}

func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// serves says whether a task is a node that clients reach.
func (s *scene) serves(t Task) bool {
	p := s.places[t.Interface]
	return t.Running && !t.Stopping && (s.silent || p != nil && p.Serving)
}

// expects says whether a zone is to have a node: it has machines, or no zone of the load balancer has.
func (s *scene) expects(z elb.Zone) bool {
	return s.manned[z.Name] || !slices.ContainsFunc(s.lb.Zones, func(o elb.Zone) bool { return s.manned[o.Name] })
}

// fits says whether a task is where a zone of the load balancer wants it.
func (s *scene) fits(t Task, z elb.Zone) bool {
	return !t.Stopping && t.Zone == z.Name && t.Subnet == z.Subnet && t.Allocation == z.Allocation && (!z.Private.IsValid() || t.Private == z.Private)
}

// leaves says whether a task has to move because its machine is to be empty.
func leaves(t Task, z elb.Zone) bool { return t.Draining && z.Allocation == "" && !z.Private.IsValid() }

// choose is the node of a zone: of those that fit and are not lost one that serves, then the one that was there first.
func (s *scene) choose(z elb.Zone) (best *Task) {
	for i, t := range s.tasks {
		if !s.fits(t, z) || s.lost(t) || leaves(t, z) {
			continue
		}
		if best == nil || s.serves(t) && !s.serves(*best) {
			best = &s.tasks[i]
		}
	}
	return best
}

// decide says what is to be done.
func (s *scene) decide() plan {
	p := plan{after: s.look()}
	s.leftPlaces(&p)
	if s.lb == nil {
		for _, t := range s.tasks {
			if !t.Stopping || s.lost(t) {
				p.end = append(p.end, ending{t, s.lost(t), "The load balancer was deleted."})
			}
		}
		return p
	}
	keep, zones := map[string]bool{}, map[string]*Task{}
	for _, z := range s.lb.Zones {
		if t := s.choose(z); t != nil {
			keep[t.ARN], zones[z.Name] = true, t
			delete(s.refused, z.Name)
			continue
		}
		if zones[z.Name] = nil; s.expects(z) {
			p.launch = append(p.launch, z)
		}
	}
	s.regroup(&p, keep)
	listed := s.endOthers(&p, keep, zones)
	s.tell(&p, keep, listed)
	if len(p.launch) > 0 {
		p.after = soonest(p.after, again)
	}
	return p
}

// leftPlaces are the words about nodes that are no more.
func (s *scene) leftPlaces(p *plan) {
	for _, id := range slices.Sorted(maps.Keys(s.places)) {
		if !slices.ContainsFunc(s.tasks, func(t Task) bool { return t.Interface == id }) {
			p.places = append(p.places, s.places[id])
		}
	}
}

func (s *scene) regroup(p *plan, keep map[string]bool) {
	if len(s.lb.SecurityGroups) == 0 {
		return // a network one that was made without: it stays so
	}
	for _, t := range s.tasks {
		if keep[t.ARN] && !slices.Equal(slices.Sorted(slices.Values(t.Groups)), slices.Sorted(slices.Values(s.lb.SecurityGroups))) {
			p.groups = append(p.groups, t)
		}
	}
}

// endOthers ends nodes that are not needed any more, when others serve in their place; it answers those of them that are still named.
func (s *scene) endOthers(p *plan, keep map[string]bool, zones map[string]*Task) (listed map[string]bool) {
	listed = map[string]bool{}
	for _, t := range s.tasks {
		if keep[t.ARN] {
			continue
		}
		lost := s.lost(t)
		switch k, wanted := zones[t.Zone]; {
		case t.Stopping && !lost:
		case lost && wanted && k == nil && s.within(t): // there is no other yet, and it may serve on
			listed[t.ARN] = true
		case lost:
			p.end = append(p.end, ending{t, Abandon, "The node that it ran on is gone."})
		case s.serves(t) && !s.replaced(zones, k, wanted):
			listed[t.ARN] = true
		case s.serves(t) && s.lingers(p, t):
		default:
			p.end = append(p.end, ending{t, Stop, "Another node took its place."})
		}
	}
	return listed
}

// within says whether a task fits a zone of the load balancer.
func (s *scene) within(t Task) bool {
	return slices.ContainsFunc(s.lb.Zones, func(z elb.Zone) bool { return s.fits(t, z) })
}

// replaced says whether clients are served without a node: by the one that took its place in the zone or, where the zone is none any more, by any.
func (s *scene) replaced(zones map[string]*Task, k *Task, wanted bool) bool {
	if wanted {
		return k != nil && s.serves(*k)
	}
	for _, t := range zones {
		if t != nil && s.serves(*t) {
			return true
		}
	}
	return false
}

// lingers says whether clients may still know a node by name.
func (s *scene) lingers(p *plan, t Task) bool {
	since, ok := s.unlisted[t.ARN]
	if !ok {
		since = s.now
		s.unlisted[t.ARN] = since
	}
	left := s.Linger - s.now.Sub(since)
	if left > 0 {
		p.after = soonest(p.after, left)
	}
	return left > 0
}

// tell is the status.
func (s *scene) tell(p *plan, keep, listed map[string]bool) {
	out := elb.LoadBalancerStatus{Home: s.lb.Home, LoadBalancer: s.lb.ID, State: elb.StateProvisioning}
	served := map[string]bool{} // zones
	for _, t := range s.tasks {
		if t.Stopping {
			continue
		}
		n := elb.Node{
			Zone: t.Zone, Subnet: t.Subnet, Task: t.ARN, Machine: t.Machine, Interface: t.Interface, Private: t.Private, Public: t.Public,
			Serving: s.serves(t) && (keep[t.ARN] || listed[t.ARN]),
		}
		if n.Serving && !s.missing(t) {
			served[t.Zone] = true
		}
		out.Nodes = append(out.Nodes, n)
	}
	s.unname(&out, len(served))
	serving, missing := 0, 0
	for _, z := range s.lb.Zones {
		switch {
		case served[z.Name]:
			serving++
		case s.expects(z):
			missing++
		}
	}
	slices.SortFunc(out.Nodes, func(a, b elb.Node) int { return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Task, b.Task)) })
	was := elb.StateProvisioning
	if s.before != nil {
		was = s.before.State
	}
	out.Reason = s.why()
	overdue := out.Reason != "" && s.now.Sub(s.lb.CreatedAt) >= s.Patience
	switch {
	case missing == 0:
		out.State, out.Reason = elb.StateActive, ""
	case was == elb.StateActive, was == elb.StateImpaired, serving > 0 && overdue:
		out.State = elb.StateImpaired
	case overdue:
		out.State = elb.StateFailed
	case out.Reason != "":
		p.after = soonest(p.after, s.Patience-s.now.Sub(s.lb.CreatedAt))
	}
	p.status = &out
}

// unname takes nodes of machines that are away too long out of the names while others serve.
func (s *scene) unname(out *elb.LoadBalancerStatus, serving int) {
	if serving == 0 {
		return
	}
	for i, n := range out.Nodes {
		at := slices.IndexFunc(s.tasks, func(t Task) bool { return t.ARN == n.Task })
		if s.missing(s.tasks[at]) {
			out.Nodes[i].Serving = false
		}
	}
}

// why is why there is no room, of the first zone that has none.
func (s *scene) why() string {
	for _, z := range s.lb.Zones {
		if reason := s.refused[z.Name]; reason != "" && s.expects(z) {
			return reason
		}
	}
	return ""
}
