package rollout

import (
	"slices"
	"time"

	"github.com/berth-ecs/berth/ecs"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// adopt puts the target at the head of the deployments.
func (p *planner) adopt() {
	if r := p.status.Rollback; r != nil && r.From != p.Service.Target.ID {
		p.status.Rollback = nil // the API wants something else since
	}
	d := p.status.Deployments
	i := slices.IndexFunc(d, func(d ecs.DeploymentStatus) bool { return d.ID == p.target.ID })
	if i < 0 {
		next := ecs.DeploymentStatus{
			Deployment: p.target, UpdatedAt: p.target.CreatedAt,
			RolloutState: shape.DeploymentRolloutStateInProgress, Reason: ecs.InProgress(p.target.ID),
		}
		p.status.Deployments = append([]ecs.DeploymentStatus{next}, d...)
		p.status.Steady = time.Time{}
		return
	}
	if i > 0 {
		target := d[i]
		p.status.Deployments = slices.Insert(slices.Delete(d, i, i+1), 0, target)
	}
}

// primary is the target's status; it is there once adopt has run.
func (p *planner) primary() *ecs.DeploymentStatus { return &p.status.Deployments[0] }

// settle drops what has drained and says what has been reached. It looks at the tasks as they are, not as this plan will have them: what
// is said is true.
func (p *planner) settle() {
	p.dropDrained()
	if p.primary().RolloutState == shape.DeploymentRolloutStateFailed {
		p.status.Steady = time.Time{}
		p.resolve(causeStuck)
		return
	}
	if !p.reached() {
		p.status.Steady = time.Time{}
		p.stuck()
		p.sayProtected()
		return
	}
	p.resolve(causeStuck)
	p.resolve(causeProtected)
	d := p.primary()
	if d.RolloutState != shape.DeploymentRolloutStateCompleted {
		d.RolloutState, d.Reason, d.UpdatedAt = shape.DeploymentRolloutStateCompleted, Completed(d.ID), p.Now
		p.out.Say = append(p.out.Say, p.sentence("(deployment "+d.ID+") deployment completed."))
	}
	if p.status.Completed == nil || p.status.Completed.ID != d.ID {
		done := d.Deployment
		p.status.Completed = &done
	}
	if p.status.Steady.IsZero() || p.Now.Sub(p.status.Steady) >= repeatAfter {
		p.status.Steady = p.Now
		p.out.Say = append(p.out.Say, p.sentence("has reached a steady state."))
	}
	p.after(p.status.Steady.Add(repeatAfter).Sub(p.Now))
}

// reached says whether the service is what it should be.
func (p *planner) reached() bool {
	return len(p.out.Starts) == 0 && len(p.out.Stops) == 0 && len(p.leaving) == 0 &&
		len(p.status.Deployments) == 1 && len(p.good) == p.desired && p.countHealthy(p.good) == p.desired
}

// dropDrained forgets deployments none of whose tasks should run. The one to fall back to stays while it may be needed.
func (p *planner) dropDrained() {
	keep := map[string]bool{p.target.ID: true}
	if i := p.fallback(); i >= 0 {
		keep[p.status.Deployments[i].ID] = true
	}
	for _, t := range p.Tasks {
		if t.Wanted && t.LastStatus != ecs.TaskStopped {
			keep[t.Deployment] = true
		}
	}
	p.status.Deployments = slices.DeleteFunc(p.status.Deployments, func(d ecs.DeploymentStatus) bool { return !keep[d.ID] })
}

// stuck says so when the percentages alone forbid every step: nothing may start, nothing may stop, and nothing is on its way.
func (p *planner) stuck() {
	waits := len(p.out.Starts) > 0 || len(p.out.Stops) > 0 || len(p.good) > p.countHealthy(p.good) || p.out.After > 0
	if waits || p.desired == len(p.good) || len(p.wanted) < p.ceiling {
		p.resolve(causeStuck)
		return
	}
	p.say(causeStuck, "is unable to stop or start tasks during a deployment because of the service deployment configuration. "+
		"Update the minimumHealthyPercent or maximumPercent value and try again.")
}

// Completed is ECS's sentence of a deployment that is done.
func Completed(id string) string { return "ECS deployment " + id + " completed." }
