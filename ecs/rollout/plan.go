package rollout

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Plan decides the next steps.
func Plan(in Input) Steps {
	p := newPlanner(in)
	if !in.Service.DeletedAt.IsZero() {
		p.delete()
	} else {
		p.roll()
	}
	p.chronicle()
	p.out.Status = p.status
	p.out.Changed = in.Status == nil || !reflect.DeepEqual(in.Status, p.status)
	return p.out
}

// planner holds one plan in the making.
type planner struct {
	Input
	status                  *ecs.ServiceStatus // a copy
	target                  ecs.Deployment     // what the service should become
	desired, floor, ceiling int
	wanted                  []Task // that should run and are not stopped by this plan
	good                    []Task // of wanted: those that the service wants to keep
	leaving                 []Task // of wanted: of another deployment, on a DRAINING instance, or unhealthy
	out                     Steps
}

func newPlanner(in Input) *planner {
	p := &planner{Input: in, desired: int(in.Service.DesiredCount)}
	if in.Service.Daemon() {
		p.desired = len(in.Hosts)
	}
	p.floor, p.ceiling = limits(in.Service, p.desired)
	if in.Status == nil {
		s := in.Service
		p.status = &ecs.ServiceStatus{Home: s.Home, Cluster: s.Cluster, Name: s.Name, Incarnation: s.Incarnation}
	} else {
		copied := *in.Status
		copied.Deployments = slices.Clone(in.Status.Deployments)
		copied.Said = maps.Clone(in.Status.Said)
		p.status = &copied
	}
	p.target = ecs.TargetOf(in.Service, p.status)
	for _, t := range in.Tasks {
		if t.Wanted && t.LastStatus != ecs.TaskStopped {
			p.wanted = append(p.wanted, p.spared(t))
		}
	}
	slices.SortFunc(p.wanted, func(a, b Task) int { return byAge(a, b) })
	return p
}

// spared is the task as it counts in healthCheckGracePeriodSeconds after it started: not healthy, yet not to be replaced either.
func (p *planner) spared(t Task) Task {
	t.Lenient = readiness(p.Service)
	grace := time.Duration(aws.Val(p.Service.GracePeriod)) * time.Second
	if wait := t.StartedAt.Add(grace).Sub(p.Now); t.unhealthy() && wait > 0 {
		p.after(wait)
		t.Health = shape.HealthStatusUnknown
		if t.Behind != nil {
			t.Behind = &Behind{Serving: t.Behind.Serving, Since: t.Behind.Since}
		}
	}
	return t
}

// Limits are the least number of healthy tasks and the largest number of tasks that a service allows itself.
func Limits(s *ecs.Service) (floor, ceiling int) { return limits(s, int(s.DesiredCount)) }

func limits(s *ecs.Service, desired int) (floor, ceiling int) {
	minimum, maximum := 100, 200
	if s.Daemon() {
		minimum, maximum = 0, 100
	}
	if v := s.Configuration.MinimumHealthyPercent; v != nil {
		minimum = int(aws.Val(v))
	}
	if v := s.Configuration.MaximumPercent; v != nil {
		maximum = int(aws.Val(v))
	}
	return (desired*minimum + 99) / 100, desired * maximum / 100
}

// delete stops everything, then makes the service INACTIVE.
func (p *planner) delete() {
	for _, t := range p.wanted {
		p.stop(t, scaling(t))
	}
	p.sayStopped()
	p.status.Steady = time.Time{}
	if len(p.wanted) == 0 && p.status.InactiveAt.IsZero() {
		p.status.InactiveAt = p.Now
		p.status.Deployments, p.status.Said, p.status.Completed, p.status.Rollback = nil, nil, nil, nil
	}
}

// roll brings an ACTIVE service one step closer to what it should be.
func (p *planner) roll() {
	p.adopt()
	p.account()
	p.judge()
	p.sayUnfound()
	p.sayUnhealthy()
	if p.Service.Daemon() {
		p.daemon()
		return
	}
	p.stopAtOnce()
	p.classify()
	starts := p.start()
	p.stopReplaced(starts)
	p.stopExcess()
	p.sayStopped()
	p.settle()
}

// classify parts what should run into what is kept and what has to leave.
func (p *planner) classify() {
	p.good, p.leaving = nil, nil
	for _, t := range p.wanted {
		if t.Deployment == p.target.ID && !t.Draining && !t.unhealthy() {
			p.good = append(p.good, t)
		} else {
			p.leaving = append(p.leaving, t)
		}
	}
}

// provenAfter is how long tasks without a health check run before they count as healthy, while a deployment with a circuit breaker is on its
// way: whoever asks for one wants to know that they stay up.
const provenAfter = 10 * time.Second

func (p *planner) healthyAfter() time.Duration {
	if enabled, _ := ecs.Breaks(p.Service.Configuration); enabled && p.inProgress() {
		return max(p.HealthyAfter, provenAfter)
	}
	return p.HealthyAfter
}

func (p *planner) healthy(t Task) bool {
	ok, wait := t.healthy(p.Now, p.healthyAfter())
	if wait > 0 {
		p.after(wait)
	}
	return ok
}

func (p *planner) countHealthy(ts []Task) int {
	n := 0
	for _, t := range ts {
		if p.healthy(t) {
			n++
		}
	}
	return n
}

// after asks for another plan no later than d from now.
func (p *planner) after(d time.Duration) {
	if p.out.After == 0 || d < p.out.After {
		p.out.After = d
	}
}
