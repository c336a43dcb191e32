package rollout

import (
	"slices"
	"time"

	"github.com/berth-ecs/berth/ecs"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// start asks for the tasks that are missing, as far as maximumPercent and the throttle allow. It answers how many could start if there were
// room.
func (p *planner) start() (missing int) {
	missing = max(0, p.desired-len(p.good))
	if p.primary().RolloutState == shape.DeploymentRolloutStateFailed {
		p.startFallback(max(0, p.ceiling-len(p.wanted)-len(p.out.Stops)))
		return 0
	}
	if missing == 0 {
		p.resolve(causePlace)
		return 0
	}
	// What this plan stops is not counted as gone: it may be cut.
	room := max(0, p.ceiling-len(p.wanted)-len(p.out.Stops))
	d := p.primary()
	if wait := p.delayed(d); wait > 0 {
		p.after(wait)
		missing = 0
	} else if n := min(missing, room); n > 0 {
		p.out.Starts = append(p.out.Starts, Start{Deployment: d.Deployment, Count: n})
		room -= n
	}
	p.startFallback(room)
	return missing
}

// startFallback keeps the service at its floor while its new deployment cannot start tasks: what dies of the deployment before is replaced.
func (p *planner) startFallback(room int) {
	i := p.fallback()
	if i < 0 {
		return
	}
	d := &p.status.Deployments[i]
	alive := p.countHealthy(p.good)
	for _, t := range p.wanted {
		if t.Deployment == d.ID && !t.Draining && !t.unhealthy() {
			alive++
		}
	}
	if n := min(p.floor-alive, room); n > 0 && p.delayed(d) == 0 {
		p.out.Starts = append(p.out.Starts, Start{Deployment: d.Deployment, Count: n})
	}
}

// delayed is how long a deployment's next start has to wait. No delay is longer than the longest there is: one that seems so was
// written down before the clock was set back.
func (p *planner) delayed(d *ecs.DeploymentStatus) time.Duration {
	if wait := d.NextStartAt.Sub(p.Now); wait > 0 && wait <= throttleMax {
		return wait
	}
	return 0
}

// fallback is the index of the deployment that worked before the target, which fails to start tasks; -1 when there is none.
func (p *planner) fallback() int {
	t := *p.primary()
	failed := t.Failures > 0 || t.RolloutState == shape.DeploymentRolloutStateFailed
	if p.desired == 0 || !failed || t.RolloutState == shape.DeploymentRolloutStateCompleted {
		return -1
	}
	return slices.IndexFunc(p.status.Deployments, func(d ecs.DeploymentStatus) bool {
		return d.ID != p.target.ID && d.RolloutState == shape.DeploymentRolloutStateCompleted
	})
}

// The throttle of tasks that never reached RUNNING: the delay doubles with each round of failures.
const (
	throttleMin = time.Second
	throttleMax = 15 * time.Minute
	// throttleSay is from how many rounds on the service says so.
	throttleSay = 3
)

// The pace of tasks that reach RUNNING and end soon by themselves. ECS does not throttle them, but takes its time; replacing them at once
// would keep a machine busy with nothing else.
const (
	crashSoon   = 30 * time.Second
	crashMemory = time.Minute
	crashMin    = 250 * time.Millisecond
	crashMax    = 10 * time.Second
)

// account brings the counts of failures up to date for every deployment.
func (p *planner) account() {
	for i := range p.status.Deployments {
		d := &p.status.Deployments[i]
		h := p.history(d)
		p.throttle(d, h)
		count(d, h)
		if at := h.crashedAt.Add(p.crashDelay(h.crashes)); h.crashes > 0 && at.After(p.Now) && at.After(d.NextStartAt) {
			d.NextStartAt = at
		}
	}
	d := p.primary()
	switch {
	case d.Failures == 0:
		p.resolve(causeThrottle)
	case d.Failures >= throttleSay:
		p.say(causeThrottle, "is unable to consistently start tasks successfully.")
	}
}

// history is what became of a deployment's tasks.
type history struct {
	success   time.Time // when the newest was RUNNING
	failed    []Task    // that ended by themselves after success without ever having been RUNNING
	crashes   int       // that ended by themselves soon after they were RUNNING, lately
	crashedAt time.Time
	proven    time.Time // when the newest became healthy
	lost      []Task    // that ended before they were, or because they were not any more
}

func (p *planner) history(d *ecs.DeploymentStatus) history {
	var h history
	for _, t := range p.Tasks {
		if t.Deployment == d.ID && t.StartedAt.After(h.success) {
			h.success = t.StartedAt
		}
		if at := t.proven(p.healthyAfter(), p.Now); t.Deployment == d.ID && at.After(h.proven) {
			h.proven = at
		}
	}
	for _, t := range p.Tasks {
		if t.Deployment != d.ID || t.LastStatus != ecs.TaskStopped {
			continue
		}
		if t.Unwell || !t.Asked && t.proven(p.healthyAfter(), p.Now).IsZero() {
			h.lost = append(h.lost, t)
		}
		if t.Asked {
			continue
		}
		switch {
		case t.StartedAt.IsZero() && t.StoppedAt.After(h.success):
			h.failed = append(h.failed, t)
		case !t.StartedAt.IsZero() && t.StoppedAt.Sub(t.StartedAt) < crashSoon && p.Now.Sub(t.StoppedAt).Abs() < crashMemory:
			h.crashes++
			h.crashedAt = later(h.crashedAt, t.StoppedAt)
		}
	}
	return h
}

// throttle counts each round of them once: tasks that were on their way when
// the last failure was seen do not make the delay longer.
func (p *planner) throttle(d *ecs.DeploymentStatus, h history) {
	if h.success.After(d.FailedAt) {
		d.Failures, d.NextStartAt, d.FailedAt = 0, time.Time{}, time.Time{}
	}
	round, last := false, d.FailedAt
	for _, t := range h.failed {
		if t.StoppedAt.After(d.FailedAt) {
			last = later(last, t.StoppedAt)
			round = round || t.CreatedAt.After(d.FailedAt)
		}
	}
	d.FailedAt = last
	if round {
		d.Failures++
		d.NextStartAt = last.Add(doubled(throttleMin, throttleMax, int(d.Failures)-1))
	}
}

// crashDelay lets each replica crash once before it slows down.
func (p *planner) crashDelay(crashes int) time.Duration {
	if n := crashes - max(1, p.desired); n > 0 {
		return doubled(crashMin, crashMax, n-1)
	}
	return 0
}

func doubled(from, limit time.Duration, times int) time.Duration {
	d := from
	for range times {
		if d >= limit {
			break
		}
		d *= 2
	}
	return min(d, limit)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
