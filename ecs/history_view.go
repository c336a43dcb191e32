package ecs

import (
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ServiceDeploymentView is all the records of one service deployment, as one snapshot has them.
type ServiceDeploymentView struct {
	*ServiceDeployment
	Status *ServiceDeploymentStatus // nil until the loop has seen it
	Stop   *ServiceDeploymentStop   // nil unless somebody asked
	// What its service is now; needed only while it is not finished.
	Service *Service
	Now     *ServiceStatus
	Counts  map[string]DeploymentCounts
}

// Finished says whether nothing will change any more.
func (v ServiceDeploymentView) Finished() bool {
	return v.Status != nil && !v.Status.FinishedAt.IsZero()
}

// Shown is the status that is answered.
func (v ServiceDeploymentView) Shown() string {
	known := shape.ServiceDeploymentStatusPending
	if v.Status != nil {
		known = v.Status.Status
	}
	if v.Stop == nil || v.Finished() || known == shape.ServiceDeploymentStatusRollbackInProgress {
		return known
	}
	if v.Stop.Type == shape.StopServiceDeploymentStopTypeAbort {
		return shape.ServiceDeploymentStatusStopRequested
	}
	return shape.ServiceDeploymentStatusRollbackRequested
}

// counts are a deployment's tasks: as they are, or as they were at the end. The wanted one asks for the service's desired count.
func (v ServiceDeploymentView) counts(deployment string) DeploymentCounts {
	if v.Finished() {
		return v.Status.Counts[deployment]
	}
	n := v.Counts[deployment]
	if v.Service != nil && TargetOf(v.Service, v.Now).ID == deployment {
		n.Desired = v.Service.DesiredCount
	}
	return n
}

// failures are the failed tasks in a row and how many end a deployment with a circuit breaker.
func (v ServiceDeploymentView) failures() (failed, threshold int32) {
	if v.Finished() {
		return v.Status.Failures, v.Status.Threshold
	}
	if v.Service == nil {
		return 0, FailureThreshold(0)
	}
	if v.Now != nil {
		if r := v.Now.Rollback; r != nil && r.From == v.Target {
			failed = r.Failures
		}
		for _, d := range v.Now.Deployments {
			if d.ID == v.Target {
				failed = d.FailedTasks
			}
		}
	}
	return failed, FailureThreshold(v.Service.DesiredCount)
}

// FailureThreshold is how many failed tasks in a row end a deployment of a service with a circuit breaker: half the desired
// count, rounded up, between 3 and 200.
func FailureThreshold(desired int32) int32 { return max(3, min(200, (desired+1)/2)) }

// Breaks says whether a configuration has a circuit breaker, and whether that rolls back.
func Breaks(c shape.DeploymentConfiguration) (enabled, rollback bool) {
	b := c.DeploymentCircuitBreaker
	if b == nil || b.Enable == nil || !*b.Enable {
		return false, false
	}
	return true, b.Rollback != nil && *b.Rollback
}
