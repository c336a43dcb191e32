package ecs

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// RenderServiceDeployment is a service deployment as DescribeServiceDeployments answers it. A rolling one has no lifecycle stage.
func RenderServiceDeployment(v ServiceDeploymentView) shape.ServiceDeployment {
	s := v.Status
	if s == nil {
		s = &ServiceDeploymentStatus{UpdatedAt: v.CreatedAt}
	}
	target := v.summary(v.Target)
	out := shape.ServiceDeployment{
		ServiceDeploymentArn:     aws.Ptr(v.ARN()),
		ServiceArn:               aws.Ptr(v.ServiceARN(v.Cluster, v.ServiceDeployment.Service)),
		ClusterArn:               aws.Ptr(v.ClusterARN(v.Cluster)),
		CreatedAt:                moment(v.CreatedAt),
		StartedAt:                moment(s.StartedAt),
		UpdatedAt:                moment(s.UpdatedAt),
		StoppedAt:                moment(s.StoppedAt),
		FinishedAt:               moment(s.FinishedAt),
		Status:                   aws.Ptr(v.Shown()),
		StatusReason:             filled(s.Reason),
		TargetServiceRevision:    &target,
		SourceServiceRevisions:   []shape.ServiceRevisionSummary{},
		DeploymentConfiguration:  &v.Configuration,
		DeploymentCircuitBreaker: v.breaker(),
		Alarms:                   &shape.ServiceDeploymentAlarms{Status: aws.Ptr(shape.ServiceDeploymentRollbackMonitorsStatusDisabled)},
	}
	for _, id := range v.Sources {
		out.SourceServiceRevisions = append(out.SourceServiceRevisions, v.summary(id))
	}
	if r := s.Rollback; r != nil {
		out.Rollback = &shape.Rollback{
			Reason: aws.Ptr(r.Reason), StartedAt: moment(r.StartedAt), ServiceRevisionArn: aws.Ptr(v.revisionARN(r.Deployment)),
		}
	}
	return out
}

func (v ServiceDeploymentView) revisionARN(deployment string) string {
	return v.ServiceRevisionARN(v.Cluster, v.ServiceDeployment.Service, deployment)
}

func (v ServiceDeploymentView) summary(deployment string) shape.ServiceRevisionSummary {
	n := v.counts(deployment)
	return shape.ServiceRevisionSummary{
		Arn:                aws.Ptr(v.revisionARN(deployment)),
		RequestedTaskCount: aws.Ptr(n.Desired), RunningTaskCount: aws.Ptr(n.Running), PendingTaskCount: aws.Ptr(n.Pending),
	}
}

func (v ServiceDeploymentView) breaker() *shape.ServiceDeploymentCircuitBreaker {
	failed, threshold := v.failures()
	enabled, _ := Breaks(v.Configuration)
	status := shape.ServiceDeploymentRollbackMonitorsStatusMonitoring
	switch {
	case !enabled:
		status = shape.ServiceDeploymentRollbackMonitorsStatusDisabled
	case v.Status != nil && v.Status.Tripped:
		status = shape.ServiceDeploymentRollbackMonitorsStatusTriggered
	case v.Finished():
		status = shape.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	}
	return &shape.ServiceDeploymentCircuitBreaker{Status: aws.Ptr(status), FailureCount: aws.Ptr(failed), Threshold: aws.Ptr(threshold)}
}

// RenderServiceDeploymentBrief is a service deployment as ListServiceDeployments answers it.
func RenderServiceDeploymentBrief(v ServiceDeploymentView) shape.ServiceDeploymentBrief {
	d := RenderServiceDeployment(v)
	return shape.ServiceDeploymentBrief{
		ServiceDeploymentArn: d.ServiceDeploymentArn, ServiceArn: d.ServiceArn, ClusterArn: d.ClusterArn,
		CreatedAt: d.CreatedAt, StartedAt: d.StartedAt, FinishedAt: d.FinishedAt,
		Status: d.Status, StatusReason: d.StatusReason, TargetServiceRevisionArn: d.TargetServiceRevision.Arn,
	}
}

// RenderServiceRevision is a revision as DescribeServiceRevisions answers it. The digests are those of images that ran.
func RenderServiceRevision(r *ServiceRevision, digests map[string]string) shape.ServiceRevision {
	d := r.Deployment
	out := shape.ServiceRevision{
		ServiceRevisionArn:          aws.Ptr(r.ARN()),
		ServiceArn:                  aws.Ptr(r.ServiceARN(r.Cluster, r.Service)),
		ClusterArn:                  aws.Ptr(r.ClusterARN(r.Cluster)),
		CreatedAt:                   moment(d.CreatedAt),
		TaskDefinition:              aws.Ptr(d.TaskDefinition),
		CapacityProviderStrategy:    d.CapacityStrategy,
		LaunchType:                  filled(d.LaunchType),
		PlatformVersion:             filled(d.PlatformVersion),
		PlatformFamily:              filled(d.PlatformFamily),
		NetworkConfiguration:        d.Network,
		ServiceConnectConfiguration: d.ServiceConnect,
		VolumeConfigurations:        d.Volumes,
		VpcLatticeConfigurations:    d.Lattice,
		LoadBalancers:               d.LoadBalancers,
		ServiceRegistries:           d.Registries,
		GuardDutyEnabled:            aws.Ptr(false),
		ContainerImages:             []shape.ContainerImage{},
	}
	for _, i := range r.Images {
		out.ContainerImages = append(out.ContainerImages, shape.ContainerImage{
			ContainerName: aws.Ptr(i.Container), Image: aws.Ptr(i.Image), ImageDigest: filled(digests[i.Container]),
		})
	}
	return out
}
