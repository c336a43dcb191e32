package rollout

import (
	"cmp"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// daemon brings a DAEMON service one step closer to one task on each of its hosts. A host gets its task when the one before has stopped: it
// may need the same ports.
func (p *planner) daemon() {
	p.host()
	p.stopOutdated()
	p.startHosts()
	p.sayStopped()
	p.settle()
}

// host parts what should run into the task that each host keeps, which is good or leaving, and what goes at once: a second one, one that is on no
// host any more, and the last but for its like on a DRAINING instance. Until then a task on a DRAINING instance stays, and is none of these; so does
// a protected one.
func (p *planner) host() {
	p.good, p.leaving = nil, nil
	kept := map[string]bool{}
	slices.SortFunc(p.wanted, func(a, b Task) int {
		return cmp.Or(p.claim(b)-p.claim(a), byAge(a, b))
	})
	p.wanted = slices.DeleteFunc(p.wanted, func(t Task) bool {
		current := t.Deployment == p.target.ID
		switch {
		case t.Draining && current && t.running() && !t.Last:
			return false
		case (t.Draining || kept[t.Instance] || !slices.Contains(p.Hosts, t.Instance)) && p.protected(t):
			return false
		case t.Draining, kept[t.Instance], !slices.Contains(p.Hosts, t.Instance), !current && !t.running():
			p.stop(t, scaling(t))
			return true
		}
		kept[t.Instance] = true
		if current && !t.unhealthy() {
			p.good = append(p.good, t)
		} else {
			p.leaving = append(p.leaving, t)
		}
		return false
	})
}

// claim ranks the tasks of one host: the one with the most keeps it.
func (p *planner) claim(t Task) int {
	n := 0
	if p.healthy(t) {
		n += 2
	}
	if t.Deployment == p.target.ID {
		n++
	}
	return n
}

// stopOutdated stops what is leaving, as minimumHealthyPercent allows. Where tasks of the new deployment fail to start and there is a host to
// try on, no more hosts lose what works.
func (p *planner) stopOutdated() {
	d := p.primary()
	failing := d.RolloutState == shape.DeploymentRolloutStateFailed || d.Failures > 0 && len(p.good)+len(p.leaving) < p.desired
	for _, t := range p.order(p.leaving) {
		switch healthy := p.healthy(t); {
		case healthy && (failing || p.spareHosts() <= 0):
			continue
		case !p.mayMakeRoom(t):
			continue
		}
		p.drop(t)
	}
}

// spareHosts is how many hosts may lose a healthy task.
func (p *planner) spareHosts() int {
	return p.countHealthy(p.good) + p.countHealthy(p.leaving) - p.floor
}

// startHosts asks for a task on each host that has none, as far as maximumPercent and the throttle allow.
func (p *planner) startHosts() {
	free := p.freeHosts()
	if len(p.good)+len(p.leaving) >= p.desired {
		p.resolve(causePlace)
	}
	d := p.primary()
	room := min(len(free), p.ceiling-len(p.good)-len(p.leaving))
	if room <= 0 || d.RolloutState == shape.DeploymentRolloutStateFailed {
		return
	}
	if wait := d.NextStartAt.Sub(p.Now); wait > 0 && wait <= throttleMax {
		p.after(wait)
		return
	}
	p.out.Starts = append(p.out.Starts, Start{Deployment: d.Deployment, Count: room, Hosts: free})
}

// freeHosts are those without a task that has not stopped.
func (p *planner) freeHosts() []string {
	taken := map[string]bool{}
	for _, t := range p.Tasks {
		if t.LastStatus != ecs.TaskStopped {
			taken[t.Instance] = true
		}
	}
	var free []string
	for _, h := range p.Hosts {
		if !taken[h] {
			free = append(free, h)
		}
	}
	return free
}
