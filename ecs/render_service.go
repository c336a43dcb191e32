package ecs

import (
	"strconv"
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// DeploymentCounts are the tasks of one deployment that should run: all of them,
// those that do, and those that do not yet.
type DeploymentCounts struct{ Desired, Running, Pending int32 }

// ServiceView is all the records of one service, as one snapshot has them.
type ServiceView struct {
	*Service
	Status *ServiceStatus // nil until the loop has seen the service
	Events []*ServiceEvent
	Counts map[string]DeploymentCounts // by deployment id
	// Current is the newest service deployment; nil when none is kept.
	Current *ServiceDeployment
}

// Aim is the deployment that the service should become.
func (v ServiceView) Aim() Deployment { return TargetOf(v.Service, v.Status) }

// ShownStatus is the status that is answered.
func (v ServiceView) ShownStatus() string {
	switch {
	case v.seen() && !v.Status.InactiveAt.IsZero():
		return ServiceInactive
	case !v.DeletedAt.IsZero():
		return ServiceDraining
	}
	return ServiceActive
}

// seen says whether the loop's status is of this service and not of an earlier one
// of its name.
func (v ServiceView) seen() bool {
	return v.Status != nil && v.Status.Incarnation == v.Incarnation
}

// RenderService is a service as DescribeServices answers it, without tags. Events
// are in the order given: newest first.
func RenderService(v ServiceView) shape.Service {
	var total DeploymentCounts
	for _, c := range v.Counts {
		total.Running += c.Running
		total.Pending += c.Pending
	}
	status, aim := v.ShownStatus(), v.Aim()
	s := shape.Service{
		AvailabilityZoneRebalancing:   filled(v.ZoneRebalancing),
		CapacityProviderStrategy:      aim.CapacityStrategy,
		ClusterArn:                    aws.Ptr(v.ClusterARN(v.Cluster)),
		CreatedAt:                     moment(v.CreatedAt),
		CreatedBy:                     filled(v.CreatedBy),
		DeploymentConfiguration:       &v.Configuration,
		DeploymentController:          v.Controller,
		DesiredCount:                  aws.Ptr(v.DesiredCount),
		EnableECSManagedTags:          aws.Ptr(v.ManagedTags),
		EnableExecuteCommand:          aws.Ptr(v.ExecuteCommand),
		Events:                        []shape.ServiceEvent{},
		HealthCheckGracePeriodSeconds: v.shownGrace(aim),
		LaunchType:                    filled(aim.LaunchType),
		LoadBalancers:                 orEmpty(aim.LoadBalancers),
		NetworkConfiguration:          aim.Network,
		PendingCount:                  aws.Ptr(total.Pending),
		PlacementConstraints:          orEmpty(v.Constraints),
		PlacementStrategy:             orEmpty(v.Strategy),
		PlatformFamily:                filled(aim.PlatformFamily),
		PlatformVersion:               filled(aim.PlatformVersion),
		PropagateTags:                 aws.Ptr(v.PropagateTags),
		RoleArn:                       filled(v.RoleARN),
		RunningCount:                  aws.Ptr(total.Running),
		SchedulingStrategy:            aws.Ptr(v.Scheduling),
		ServiceArn:                    aws.Ptr(v.ARN()),
		ServiceName:                   aws.Ptr(v.Name),
		ServiceRegistries:             orEmpty(aim.Registries),
		Status:                        aws.Ptr(status),
		TaskDefinition:                aws.Ptr(aim.TaskDefinition),
		Deployments:                   []shape.Deployment{},
	}
	if status != ServiceInactive {
		s.Deployments, s.CurrentServiceRevisions = v.deployments(), v.currentRevisions()
		if v.Current != nil {
			s.CurrentServiceDeployment = aws.Ptr(v.Current.ARN())
		}
	}
	for _, e := range v.Events {
		s.Events = append(s.Events, shape.ServiceEvent{Id: aws.Ptr(e.ID), CreatedAt: moment(e.At), Message: aws.Ptr(e.Message)})
	}
	return s
}

// shownGrace is the grace period that is answered: 0 where load balancers are and none was asked for.
func (v ServiceView) shownGrace(aim Deployment) *int32 {
	if v.GracePeriod == nil && len(aim.LoadBalancers) > 0 {
		return aws.Ptr(int32(0))
	}
	return v.GracePeriod
}

// deployments merges what the API wants with how far the loop is. A target that the
// loop has not seen yet is the PRIMARY, in progress, and all that the loop knows of
// is ACTIVE.
func (v ServiceView) deployments() []shape.Deployment {
	var known []DeploymentStatus
	if v.seen() {
		known = v.Status.Deployments
	}
	all := make([]shape.Deployment, 0, len(known)+1)
	aim := v.Aim()
	primary := DeploymentStatus{Deployment: aim, UpdatedAt: aim.CreatedAt,
		RolloutState: shape.DeploymentRolloutStateInProgress, Reason: InProgress(aim.ID)}
	for _, d := range known {
		if d.ID == aim.ID {
			primary = d
		}
	}
	primary.UpdatedAt = later(primary.UpdatedAt, v.DesiredAt)
	all = append(all, v.renderDeployment(primary, "PRIMARY", v.DesiredCount))
	for _, d := range known {
		if d.ID != aim.ID {
			all = append(all, v.renderDeployment(d, "ACTIVE", v.Counts[d.ID].Desired))
		}
	}
	return all
}

// currentRevisions are the revisions that have tasks, or should have: the wanted one first.
func (v ServiceView) currentRevisions() []shape.ServiceCurrentRevisionSummary {
	var out []shape.ServiceCurrentRevisionSummary
	for _, d := range v.deployments() {
		if aws.Val(d.DesiredCount) == 0 && aws.Val(d.Status) != "PRIMARY" {
			continue
		}
		out = append(out, shape.ServiceCurrentRevisionSummary{
			Arn:                aws.Ptr(v.ServiceRevisionARN(v.Cluster, v.Name, *d.Id)),
			RequestedTaskCount: d.DesiredCount, RunningTaskCount: d.RunningCount, PendingTaskCount: d.PendingCount,
		})
	}
	return out
}

func (v ServiceView) renderDeployment(d DeploymentStatus, status string, desired int32) shape.Deployment {
	n := v.Counts[d.ID]
	return shape.Deployment{
		CapacityProviderStrategy:    d.CapacityStrategy,
		CreatedAt:                   moment(d.CreatedAt),
		DesiredCount:                aws.Ptr(desired),
		FailedTasks:                 aws.Ptr(d.FailedTasks),
		Id:                          aws.Ptr(d.ID),
		LaunchType:                  filled(d.LaunchType),
		NetworkConfiguration:        d.Network,
		PendingCount:                aws.Ptr(n.Pending),
		PlatformFamily:              filled(d.PlatformFamily),
		PlatformVersion:             filled(d.ShownPlatform()),
		RolloutState:                aws.Ptr(d.RolloutState),
		RolloutStateReason:          aws.Ptr(d.Reason),
		RunningCount:                aws.Ptr(n.Running),
		ServiceConnectConfiguration: d.ServiceConnect,
		Status:                      aws.Ptr(status),
		TaskDefinition:              aws.Ptr(d.TaskDefinition),
		UpdatedAt:                   moment(d.UpdatedAt),
		VolumeConfigurations:        d.Volumes,
		VpcLatticeConfigurations:    d.Lattice,
	}
}

// InProgress is AWS's sentence of a deployment that goes on.
func InProgress(id string) string { return "ECS deployment " + id + " in progress." }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// DeploymentID makes the id of a deployment from 32 hex digits: the prefix and 19
// decimal digits, as AWS's are.
func DeploymentID(hex string) string {
	n := uint64(0)
	for _, c := range []byte(hex) {
		n = n*31 + uint64(c)
		n ^= n >> 29
	}
	const low, span = 1_000_000_000_000_000_000, 8_000_000_000_000_000_000
	return DeploymentPrefix + strconv.FormatUint(low+n%span, 10)
}
