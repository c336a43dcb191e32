package ecs

import (
	"slices"
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// HealthReport is what a node's telemetry says of one container's health check.
type HealthReport struct {
	Container string
	Status    string // HEALTHY, UNHEALTHY or UNKNOWN
	Since     time.Time
}

// straggling is how much older than what is known telemetry may be to be old news.
// What is older still comes from a node whose clock was set back, and counts.
const straggling = time.Minute

// FoldHealth joins telemetry into what is known of a task and says whether anything
// changed: repeated telemetry changes nothing. A container that has no health
// check stays UNKNOWN whatever the node says, and a stopped one keeps its last
// health. The later Since wins, unless the node's clock was set back. Since is the
// node's clock's, and not after now: what became healthy in the future would outlast
// every failure that is counted by the server's.
func (t *Task) FoldHealth(s *TaskStatus, reports []HealthReport, now time.Time) (*TaskStatus, bool) {
	next, changed := s.clone(), false
	for _, r := range reports {
		i := slices.IndexFunc(next.Containers, func(c ContainerStatus) bool { return c.Name == r.Container })
		if i < 0 || !t.checked(r.Container) || !knownHealth(r.Status) {
			continue
		}
		if r.Since.After(now) || r.Since.Before(time.Unix(0, 0)) { // the epoch: no clock is that wrong
			r.Since = now
		}
		c := &next.Containers[i]
		late := c.HealthSince.Sub(r.Since)
		if c.LastStatus == TaskStopped || c.Health == r.Status || late > 0 && late <= straggling {
			continue
		}
		c.Health, c.HealthSince, changed = r.Status, r.Since, true
	}
	if !changed {
		return s, false
	}
	next.Health = t.health(next)
	next.Version++
	return next, true
}

func knownHealth(s string) bool {
	return s == shape.HealthStatusHealthy || s == shape.HealthStatusUnhealthy || s == shape.HealthStatusUnknown
}

func (t *Task) checked(name string) bool {
	i := slices.IndexFunc(t.Containers, func(c TaskContainer) bool { return c.Name == name })
	return i >= 0 && t.Containers[i].HealthCheck
}

// health is the task's: UNHEALTHY when an essential container with a check is,
// HEALTHY when all of them are, else UNKNOWN.
func (t *Task) health(s *TaskStatus) string {
	checked, healthy := 0, 0
	for i, c := range s.Containers {
		if i >= len(t.Containers) || !t.Containers[i].Essential || !t.Containers[i].HealthCheck {
			continue
		}
		checked++
		switch c.Health {
		case shape.HealthStatusUnhealthy:
			return shape.HealthStatusUnhealthy
		case shape.HealthStatusHealthy:
			healthy++
		}
	}
	if checked > 0 && checked == healthy {
		return shape.HealthStatusHealthy
	}
	return shape.HealthStatusUnknown
}
