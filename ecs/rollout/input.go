package rollout

import (
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Input is everything a plan depends on.
type Input struct {
	Service   *ecs.Service       // required
	Status    *ecs.ServiceStatus // what the last plans made of this incarnation; nil at first
	Hosts     []string           // of a DAEMON service: the container instances that should have a task
	Tasks     []Task             // of the service, those STOPPED included as long as they are kept
	Instances []place.Instance   // optional; of the cluster, to choose what to stop
	// History are the service deployments that are not finished, newest first, without what their service is now.
	History []ecs.ServiceDeploymentView
	Now     time.Time
	Seed    uint64 // of ties when choosing what to stop

	// Unfound is why a task that should be found by service discovery cannot be; "" when all are.
	Unfound string
	// Unregistered is why a task that should be a target is none; "" when all are.
	Unregistered string

	// HealthyAfter is how long a task without a health check must have been RUNNING to count as healthy.
	HealthyAfter time.Duration
	// MaxStops is how many tasks one plan may stop; zero is any number.
	MaxStops int
}

// Task is a task as a plan sees it.
type Task struct {
	ID         string
	Deployment string
	Instance   string // or the host, on FARGATE
	Wanted     bool   // desired status RUNNING
	Asked      bool   // somebody asked it to stop, it did not end by itself
	Unwell     bool   // asked because of its health checks
	Draining   bool   // its container instance is DRAINING
	Last       bool   // no task but those of DAEMON services is left on that
	// ProtectedUntil is when its protection from scale-in and deployments ends; zero without one.
	ProtectedUntil time.Time
	LastStatus     string
	Health         string
	Checked        bool // it has a container health check
	CreatedAt      time.Time
	StartedAt      time.Time
	HealthyAt      time.Time // since when its health checks say HEALTHY; zero when they do not
	StoppedAt      time.Time

	Behind  *Behind // nil for a task that no load balancer leads to
	Lenient bool    // it stays although a target of it is unhealthy
}

// TaskOf is a stored task as a plan sees it.
func TaskOf(v ecs.TaskView, draining bool) Task {
	t := Task{
		ID: v.ID, Deployment: v.Deployment, Instance: v.RunsOn().Instance, Draining: draining,
		Wanted:     v.Desired.Status == shape.DesiredStatusRunning,
		Asked:      v.Desired.StopCode != "",
		Unwell:     unwell(v.Desired.Reason),
		LastStatus: v.Status.LastStatus, Health: v.Status.Health,
		CreatedAt: v.CreatedAt, StartedAt: v.Status.StartedAt, StoppedAt: v.Status.StoppedAt,
	}
	if len(v.Balancers) > 0 {
		t.Behind = &Behind{}
	}
	if v.Protection != nil {
		t.ProtectedUntil = v.Protection.ExpiresAt
	}
	for _, c := range v.Containers {
		t.Checked = t.Checked || c.HealthCheck
	}
	if t.Health == shape.HealthStatusHealthy {
		t.HealthyAt = healthySince(v.Status)
	}
	return t
}

// healthySince is when the last of a task's containers became healthy.
func healthySince(s *ecs.TaskStatus) time.Time {
	at := s.StartedAt
	for _, c := range s.Containers {
		if c.Health == shape.HealthStatusHealthy {
			at = later(at, c.HealthSince)
		}
	}
	return at
}

func (t Task) running() bool { return t.LastStatus == ecs.TaskRunning }

func (t Task) unhealthy() bool {
	return t.running() && (t.Health == shape.HealthStatusUnhealthy || t.failing())
}

// healthy says whether the task counts for minimumHealthyPercent; wait is how long until it does by the passing of time alone.
func (t Task) healthy(now time.Time, after time.Duration) (ok bool, wait time.Duration) {
	switch {
	case !t.running() || t.unhealthy():
		return false, 0
	case t.Behind != nil && !t.Behind.Serving:
		return false, 0
	case t.Checked:
		return t.Health == shape.HealthStatusHealthy, 0
	case t.Behind != nil: // its load balancers vouch for it
		return true, 0
	}
	wait = t.StartedAt.Add(after).Sub(now)
	if wait <= 0 || wait > after { // it started in the future: the clock was set back since, and it need not wait for that
		return true, 0
	}
	return false, wait
}

// Steps is what to do next.
type Steps struct {
	Starts []Start
	Stops  []Stop
	Say    []string // service events, in order
	// History are the service deployments that have come further.
	History []*ecs.ServiceDeploymentStatus
	// Status is what the service's status record becomes. Changed says whether it differs from the one given.
	Status  *ecs.ServiceStatus
	Changed bool
	// After asks for another plan after this time even when nothing changes; zero does not.
	After time.Duration
}

// Empty says whether there is nothing to do.
func (s Steps) Empty() bool {
	return len(s.Starts) == 0 && len(s.Stops) == 0 && len(s.Say) == 0 && len(s.History) == 0 && !s.Changed
}

// Start asks for tasks of a deployment.
type Start struct {
	Deployment ecs.Deployment
	Count      int
	Hosts      []string // the container instances to choose from; empty for REPLICA services: any
}

// Stop asks a task to stop.
type Stop struct {
	Task    string
	Running bool // its last status is RUNNING
	Code    string
	Reason  string
}
