package rollout

import (
	"time"

	"github.com/berth-ecs/berth/ecs"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// proven is when a task counted as healthy, zero when it never did or is not seen to.
func (t Task) proven(after time.Duration, now time.Time) time.Time {
	switch {
	case t.StartedAt.IsZero():
		return time.Time{}
	case t.Behind != nil && !t.Behind.Serving, t.Checked && t.HealthyAt.IsZero():
		return time.Time{}
	case t.Behind != nil:
		return later(t.HealthyAt, t.Behind.Since)
	case t.Checked:
		return t.HealthyAt
	}
	at, until := t.StartedAt.Add(after), now
	if !t.StoppedAt.IsZero() {
		until = t.StoppedAt
	}
	if at.After(until) {
		return time.Time{}
	}
	return at
}

// count brings the number of tasks that failed in a row up to date: each counts once, and a task that becomes healthy ends the row. Stopped
// tasks are forgotten in time, so what was counted stays.
func count(d *ecs.DeploymentStatus, h history) {
	if h.proven.After(d.CountedAt) {
		d.FailedTasks, d.CountedAt = 0, h.proven
	}
	fresh, seen, last := int32(0), int32(0), d.CountedAt
	for _, t := range h.lost {
		if t.StoppedAt.After(h.proven) {
			seen++
		}
		if t.StoppedAt.After(d.CountedAt) {
			fresh++
			last = later(last, t.StoppedAt)
		}
	}
	d.FailedTasks, d.CountedAt = max(d.FailedTasks+fresh, seen), last
}

func (p *planner) inProgress() bool {
	return len(p.status.Deployments) > 0 && p.primary().RolloutState == shape.DeploymentRolloutStateInProgress
}

// ECS's reasons of a deployment that failed, and of the one that is gone back to.
const (
	reasonBroken  = "ECS deployment circuit breaker: tasks failed to start."
	reasonStopped = "ECS deployment stopped by user."
)

func goingBack(why, id string) string { return why + ": rolling back to deploymentId " + id + "." }

// judge ends a deployment that somebody stopped, or whose tasks failed too often.
func (p *planner) judge() {
	if !p.inProgress() {
		return
	}
	if stop := p.asked(); stop != nil {
		p.out.Say = append(p.out.Say, p.sentence("(deployment "+p.target.ID+") deployment stopped by user."))
		p.fail(reasonStopped)
		if stop.Type != shape.StopServiceDeploymentStopTypeAbort {
			p.rollBack("ECS deployment stopped by user")
		}
		return
	}
	enabled, back := ecs.Breaks(p.Service.Configuration)
	if d := p.primary(); !enabled || d.FailedTasks < ecs.FailureThreshold(int32(p.desired)) {
		return
	}
	p.out.Say = append(p.out.Say, p.sentence("(deployment "+p.target.ID+") deployment failed: tasks failed to start."))
	p.fail(reasonBroken)
	if back {
		p.rollBack("ECS deployment circuit breaker")
	}
}

// asked is the wish to stop the target's deployment. A way back is not stopped.
func (p *planner) asked() *ecs.ServiceDeploymentStop {
	if p.status.Rollback != nil {
		return nil
	}
	for _, v := range p.History {
		if v.Target == p.target.ID && v.Stop != nil {
			return v.Stop
		}
	}
	return nil
}

// fail ends the primary deployment: nothing is started for it any more.
func (p *planner) fail(reason string) {
	d := p.primary()
	d.RolloutState, d.Reason, d.UpdatedAt = shape.DeploymentRolloutStateFailed, reason, p.Now
	p.status.Steady = time.Time{}
}

// rollBack makes the last completed deployment the target again. Its tasks that still run stay. There is no way back from a way back.
func (p *planner) rollBack(why string) {
	to := p.status.WayBack(p.target.ID)
	if to == nil || p.status.Rollback != nil {
		return
	}
	failed := p.primary()
	p.status.Rollback = &ecs.ServiceRollback{
		From: p.target.ID, To: *to, Reason: goingBack(why, to.ID), At: p.Now,
		Tripped: failed.Reason == reasonBroken, Failures: failed.FailedTasks,
	}
	p.target = *to
	p.adopt()
	d := p.primary()
	d.RolloutState, d.Reason, d.UpdatedAt = shape.DeploymentRolloutStateInProgress, p.status.Rollback.Reason, p.Now
	d.FailedTasks, d.CountedAt, d.Failures, d.FailedAt, d.NextStartAt = 0, p.Now, 0, time.Time{}, time.Time{}
	p.out.Say = append(p.out.Say, p.sentence("rolling back to deployment "+to.ID+"."))
}
