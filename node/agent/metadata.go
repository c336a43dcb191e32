package agent

import (
	"context"
	"errors"
	"time"

	"github.com/berth-ecs/berth/node/agent/engine"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/metadata"
)

var _ metadata.Source = (*Agent)(nil)

// Lookup implements metadata.Source. A container's endpoint has the container's id.
func (a *Agent) Lookup(endpointID string) (metadata.Task, metadata.Container, bool) {
	t, i, ok := a.engine.Lookup(endpointID)
	if !ok {
		return metadata.Task{}, metadata.Container{}, false
	}
	out := a.metadataTask(&t)
	return out, out.Containers[i], true
}

// Stats implements metadata.Source.
func (a *Agent) Stats(ctx context.Context, containerID string) (any, error) {
	t, i, ok := a.engine.Lookup(containerID)
	if !ok || t.Containers[i].Phase != engine.Running {
		return nil, errors.New("agent: the container does not run")
	}
	return a.usage.Docker(ctx, containerID, dockerName(&t, i))
}

func (a *Agent) metadataTask(t *engine.Task) metadata.Task {
	out := metadata.Task{
		Cluster: a.cfg.Cluster, TaskARN: t.ARN, Family: t.Plan.Family, Revision: t.Plan.Version,
		ServiceName: t.Plan.Service, Group: t.Plan.Group, LaunchType: t.Plan.LaunchType,
		DesiredStatus: t.Desired(), KnownStatus: t.Status(), AvailabilityZone: *a.zone.Load(),
		PullStartedAt: instant(t.PullStarted), PullStoppedAt: instant(t.PullStopped),
		ExecutionStoppedAt: instant(t.ExecutionStopped), ClockDrift: clockDrift(time.Now()),
	}
	if t.Plan.CPU > 0 || t.Plan.MemoryMiB > 0 {
		out.Limits = &metadata.Limits{}
		if t.Plan.CPU > 0 {
			out.Limits.CPU = &t.Plan.CPU
		}
		if t.Plan.MemoryMiB > 0 {
			out.Limits.Memory = &t.Plan.MemoryMiB
		}
	}
	for i := range t.Containers {
		out.Containers = append(out.Containers, metadataContainer(t, i))
	}
	for _, as := range t.Payload.Associations {
		out.Associations = append(out.Associations, metadata.Association{
			Type: as.Type, Name: as.Name, Containers: as.Containers, Value: as.Content.Value,
		})
	}
	return out
}

func metadataContainer(t *engine.Task, i int) metadata.Container {
	c, p := &t.Containers[i], &t.Plan.Containers[i]
	cpu := float64(p.CPUShares)
	out := metadata.Container{
		ID: p.ID, EndpointID: p.ID, Name: p.Name, DockerName: dockerName(t, i), Image: p.Image, ImageID: c.Digest,
		Labels: p.Labels, DesiredStatus: t.Desired(), KnownStatus: knownStatus(c.Phase), ExitCode: c.ExitCode,
		Limits: metadata.Limits{CPU: &cpu}, Type: "NORMAL", ContainerARN: p.ARN,
		CreatedAt: instant(c.CreatedAt), StartedAt: instant(c.StartedAt), FinishedAt: instant(c.FinishedAt),
		LogDriver: p.LogDriver, LogOptions: p.LogOptions, Snapshotter: "overlayfs",
	}
	if p.MemoryMiB > 0 {
		out.Limits.Memory = &p.MemoryMiB
	}
	if p.Restart != nil { // as the agent: only where there is a policy
		out.RestartCount = &c.Restarts
	}
	if p.Health != nil && c.Started() {
		out.Health = &metadata.Health{Status: engine.Unknown, ExitCode: c.Health.ExitCode, Output: c.Health.Output}
		if c.Health.Status != "" {
			out.Health.Status, out.Health.Since = c.Health.Status, instant(c.Health.Since)
		}
	}
	for _, b := range c.Endpoint.Ports {
		out.Ports = append(out.Ports, metadata.Port{
			ContainerPort: b.ContainerPort, HostPort: b.HostPort, HostIP: b.BindIP, Protocol: b.Protocol,
		})
	}
	for _, m := range p.Mounts {
		out.Volumes = append(out.Volumes, metadata.Volume{Source: m.Source, Destination: m.Target})
	}
	out.Networks = []metadata.Network{networkOf(p, c)}
	return out
}

func networkOf(p *plan.Container, c *engine.Container) metadata.Network {
	n := metadata.Network{NetworkMode: p.NetworkMode}
	if c.Endpoint.Address.IsValid() {
		n.IPv4Addresses = []string{c.Endpoint.Address.String()}
	}
	return n
}

// knownStatus is a phase in the ECS agent's words.
func knownStatus(p engine.Phase) string {
	switch p {
	case engine.Fresh:
		return "NONE"
	case engine.Ready:
		return "PULLED"
	case engine.Created:
		return "CREATED"
	case engine.Running:
		return "RUNNING"
	case engine.Exited, engine.Stopped:
		return "STOPPED"
	}
	return "NONE"
}

// dockerName is the name Docker would know the container by.
func dockerName(t *engine.Task, i int) string {
	p := &t.Plan.Containers[i]
	return "ecs-" + t.Plan.Family + "-" + t.Plan.Version + "-" + p.Name + "-" + p.ID
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
