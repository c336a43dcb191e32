package ecs

import (
	"strconv"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Host is the container instance whose agent runs a task that has no container instance of its own: one on FARGATE. The instance may be of
// another cluster of the task's account. No answer shows it, and nothing that is done to the instance but its end concerns the task.
type Host struct{ Cluster, Instance string }

// RunsOn is where the agent is that runs the task: on its own container instance or, on FARGATE, on its host.
func (t *Task) RunsOn() Host { return runsOn(t.Cluster, t.Instance, t.Host) }

// RunsOn is that of the task.
func (t *TaskDesired) RunsOn() Host { return runsOn(t.Cluster, t.Instance, t.Host) }

// RunsOn is that of the task.
func (t *TaskStatus) RunsOn() Host { return runsOn(t.Cluster, t.Instance, t.Host) }

func runsOn(cluster, instance string, host Host) Host {
	if instance == "" {
		return host
	}
	return Host{Cluster: cluster, Instance: instance}
}

// The one platform of FARGATE that there is.
const (
	PlatformLatest  = "LATEST" // as clients may call it
	PlatformVersion = "1.4.0"
	PlatformFamily  = "Linux"
)

// Platform is the version of FARGATE's platform that a wish for one means; nothing is the latest.
func Platform(wish string) string {
	if wish == "" || wish == PlatformLatest {
		return PlatformVersion
	}
	return wish
}

// DefaultStorageGiB is the ephemeral storage of a task on FARGATE that asks for no other size.
const DefaultStorageGiB = 20

// SandboxMiB is the memory that a sandbox takes for itself, beside that of its task with so many containers.
func SandboxMiB(containers int) int64 { return 32 + 8*int64(containers) }

// BesideMiB is what the task holds of its node's memory beside its own.
func (t *Task) BesideMiB() int64 {
	own, err := strconv.ParseInt(t.Memory, 10, 64)
	if err != nil {
		return 0
	}
	return t.Holds.MemoryMiB - own
}

// ProvidesFargate says whether a capacity provider's tasks run on FARGATE.
func ProvidesFargate(provider string) bool {
	return provider == shape.CapacityProviderTypeFargate || provider == shape.CapacityProviderTypeFargateSpot
}

// OnFargate says whether the deployment's tasks run on FARGATE.
func (d *Deployment) OnFargate() bool {
	if d.LaunchType == shape.LaunchTypeFargate {
		return true
	}
	for _, i := range d.CapacityStrategy {
		if ProvidesFargate(aws.Val(i.CapacityProvider)) {
			return true
		}
	}
	return false
}

// ShownPlatform is the version of the platform that a deployment's tasks run on; "" for none.
func (d *Deployment) ShownPlatform() string {
	if !d.OnFargate() {
		return ""
	}
	return Platform(d.PlatformVersion)
}

// NoCapacity is what AWS says when FARGATE has no room for a task.
const NoCapacity = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
