package rollout

import (
	"reflect"

	"github.com/berth-ecs/berth/ecs"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Why a service deployment ended before it was done.
const (
	reasonReplaced = "The service deployment was stopped because a newer service deployment replaced it."
	reasonDeleted  = "The service deployment was stopped because the service was deleted."
)

// chronicle brings the service deployments that are not finished up to date with what has become of the service.
func (p *planner) chronicle() {
	for _, v := range p.History {
		next := ecs.ServiceDeploymentStatus{
			Home: v.Home, Cluster: v.Cluster, Service: v.ServiceDeployment.Service, ID: v.ID,
			Status: shape.ServiceDeploymentStatusInProgress, StartedAt: p.Now, UpdatedAt: p.Now,
		}
		if v.Status != nil {
			next = *v.Status
		}
		p.advance(&next, v.Target)
		if v.Status == nil || !reflect.DeepEqual(next, *v.Status) {
			next.UpdatedAt = p.Now
			p.out.History = append(p.out.History, &next)
		}
	}
}

// advance takes a service deployment with a target to where its service is.
func (p *planner) advance(s *ecs.ServiceDeploymentStatus, target string) {
	back := p.status.Rollback
	switch {
	case !p.Service.DeletedAt.IsZero():
		p.stopped(s, target, reasonDeleted)
	case target != p.Service.Target.ID:
		p.stopped(s, target, reasonReplaced)
	case back != nil:
		p.goBack(s, target, back)
	case p.primary().RolloutState == shape.DeploymentRolloutStateCompleted:
		p.finish(s, target, shape.ServiceDeploymentStatusSuccessful, "")
	case p.primary().RolloutState == shape.DeploymentRolloutStateFailed:
		s.Tripped = p.primary().Reason == reasonBroken
		p.stopped(s, target, p.primary().Reason)
	}
}

// goBack follows a way back from a target that failed.
func (p *planner) goBack(s *ecs.ServiceDeploymentStatus, target string, back *ecs.ServiceRollback) {
	if s.Rollback == nil {
		s.Status, s.Reason = shape.ServiceDeploymentStatusRollbackInProgress, back.Reason
		s.Rollback = &ecs.DeploymentRollback{Deployment: back.To.ID, Reason: back.Reason, StartedAt: back.At}
		s.Tripped, s.Failures = back.Tripped, back.Failures
	}
	switch p.primary().RolloutState {
	case shape.DeploymentRolloutStateCompleted:
		p.finish(s, target, shape.ServiceDeploymentStatusRollbackSuccessful, back.Reason)
	case shape.DeploymentRolloutStateFailed:
		p.finish(s, target, shape.ServiceDeploymentStatusRollbackFailed, p.primary().Reason)
	}
}

// stopped ends a service deployment that did not get where it should.
func (p *planner) stopped(s *ecs.ServiceDeploymentStatus, target, reason string) {
	if s.Rollback != nil {
		p.finish(s, target, shape.ServiceDeploymentStatusRollbackFailed, reason)
		return
	}
	p.finish(s, target, shape.ServiceDeploymentStatusStopped, reason)
	s.StoppedAt = p.Now
}

// finish ends a service deployment and keeps how things are now.
func (p *planner) finish(s *ecs.ServiceDeploymentStatus, target, status, reason string) {
	s.Status, s.Reason, s.FinishedAt = status, reason, p.Now
	s.Threshold = ecs.FailureThreshold(int32(p.desired))
	s.Failures = max(s.Failures, p.failuresOf(target))
	s.Counts = map[string]ecs.DeploymentCounts{}
	for _, t := range p.Tasks {
		if !t.Wanted || t.LastStatus == ecs.TaskStopped {
			continue
		}
		n := s.Counts[t.Deployment]
		n.Desired++
		if t.running() {
			n.Running++
		} else {
			n.Pending++
		}
		s.Counts[t.Deployment] = n
	}
}

func (p *planner) failuresOf(deployment string) int32 {
	for _, d := range p.status.Deployments {
		if d.ID == deployment {
			return d.FailedTasks
		}
	}
	return 0
}
