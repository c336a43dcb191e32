package ecs

import (
	"slices"
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// RenderTask is a task as DescribeTasks answers it, without tags; see RenderTags.
func RenderTask(v TaskView) shape.Task {
	code, reason := v.Shown()
	t := shape.Task{
		Attachments:          v.attachments(),
		Attributes:           orEmpty(v.Attributes),
		AvailabilityZone:     filled(v.Zone),
		ClusterArn:           aws.Ptr(v.ClusterARN(v.Cluster)),
		Connectivity:         filled(v.Status.Connectivity),
		ConnectivityAt:       moment(v.Status.ConnectivityAt),
		Containers:           make([]shape.Container, 0, len(v.Containers)),
		Cpu:                  filled(v.CPU),
		CreatedAt:            moment(v.CreatedAt),
		DesiredStatus:        aws.Ptr(v.ShownDesired()),
		EnableExecuteCommand: aws.Ptr(v.EnableExecuteCommand),
		ExecutionStoppedAt:   moment(v.Status.ExecutionStoppedAt),
		Group:                filled(v.Group),
		HealthStatus:         aws.Ptr(v.Status.Health),
		LastStatus:           aws.Ptr(v.ShownStatus()),
		Memory:               filled(v.Memory),
		Overrides:            renderOverrides(v.Task),
		PlatformFamily:       filled(v.PlatformFamily),
		PlatformVersion:      filled(v.PlatformVersion),
		PullStartedAt:        moment(v.Status.PullStartedAt),
		PullStoppedAt:        moment(v.Status.PullStoppedAt),
		StartedAt:            moment(v.Status.StartedAt),
		StartedBy:            filled(v.StartedBy),
		StopCode:             filled(code),
		StoppedAt:            moment(v.Status.StoppedAt),
		StoppedReason:        filled(reason),
		StoppingAt:           stopping(v),
		Tags:                 []shape.Tag{},
		TaskArn:              aws.Ptr(v.ARN()),
		TaskDefinitionArn:    aws.Ptr(v.TaskDefinitionARN(v.Family, v.Revision)),
		Version:              aws.Ptr(v.ShownVersion()),
	}
	if v.Instance != "" {
		t.ContainerInstanceArn = aws.Ptr(v.InstanceARN(v.Cluster, v.Instance))
	}
	if gib := v.Holds.StorageGiB; gib > 0 {
		t.EphemeralStorage = &shape.EphemeralStorage{SizeInGiB: aws.Ptr(int32(gib))}
		t.FargateEphemeralStorage = &shape.TaskEphemeralStorage{SizeInGiB: aws.Ptr(int32(gib))}
	}
	t.CapacityProviderName, t.LaunchType = filled(v.CapacityProvider), filled(v.LaunchType)
	for i := range v.Containers {
		t.Containers = append(t.Containers, renderContainer(v, i))
	}
	return t
}

// stopping is when the task was asked to stop, or began to end by itself; never
// later than its end nor earlier than its start: the servers that wrote them may
// have clocks that differ.
func stopping(v TaskView) *aws.Time {
	at := v.Desired.StoppingAt
	if !at.IsZero() {
		at = later(at, later(v.CreatedAt, v.Status.StartedAt))
	}
	if end := v.Status.StoppedAt; !end.IsZero() && at.After(end) {
		at = end
	}
	return moment(at)
}

func renderContainer(v TaskView, i int) shape.Container {
	k := v.Containers[i]
	c := shape.Container{
		ContainerArn:      aws.Ptr(v.ContainerARN(v.Cluster, v.ID, k.ID)),
		TaskArn:           aws.Ptr(v.ARN()),
		Name:              aws.Ptr(k.Name),
		Image:             filled(k.Image),
		Cpu:               filled(k.CPU),
		Memory:            filled(k.Memory),
		MemoryReservation: filled(k.MemoryReservation),
		LastStatus:        aws.Ptr(TaskPending),
		HealthStatus:      aws.Ptr(shape.HealthStatusUnknown),
		NetworkInterfaces: v.interfaces(),
	}
	j := slices.IndexFunc(v.Status.Containers, func(s ContainerStatus) bool { return s.Name == k.Name })
	if j < 0 {
		return c
	}
	s := v.Status.Containers[j]
	c.LastStatus = filled(s.LastStatus)
	c.RuntimeId = filled(s.RuntimeID)
	c.ImageDigest = filled(s.ImageDigest)
	c.ExitCode = s.ExitCode
	c.Reason = filled(s.Reason)
	if s.Health != "" {
		c.HealthStatus = aws.Ptr(s.Health)
	}
	if s.RuntimeID != "" || s.LastStatus != TaskPending {
		c.NetworkBindings = orEmpty(s.NetworkBindings)
	}
	return c
}

// renderOverrides lists every container by name, as AWS does, whether or not it was
// overridden.
func renderOverrides(t *Task) *shape.TaskOverride {
	o := t.Overrides
	o.InferenceAcceleratorOverrides = orEmpty(o.InferenceAcceleratorOverrides)
	o.ContainerOverrides = slices.Clone(orEmpty(o.ContainerOverrides))
	for _, c := range t.Containers {
		named := func(k shape.ContainerOverride) bool { return aws.Val(k.Name) == c.Name }
		if !slices.ContainsFunc(o.ContainerOverrides, named) {
			o.ContainerOverrides = append(o.ContainerOverrides, shape.ContainerOverride{Name: aws.Ptr(c.Name)})
		}
	}
	return &o
}

// filled is absent when empty.
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// moment is absent when zero.
func moment(t time.Time) *aws.Time {
	if t.IsZero() {
		return nil
	}
	return aws.At(t)
}

// orEmpty turns absent into empty, for the members AWS always answers; see
// AlwaysAnswered.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
