package agent

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/agent/engine"
	"github.com/berth-ecs/berth/node/agent/health"
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

// ByAddress is the task of a VPC that has an address.
func (a *Agent) ByAddress(vpc string, addr netip.Addr) (metadata.Task, bool) {
	for _, t := range a.engine.Tasks() {
		if t.Plan == nil || t.Plan.Interface == nil || t.StoppedAt.After(time.Time{}) {
			continue
		}
		i := t.Plan.Interface
		if (slices.Contains(i.Addresses, addr) || slices.Contains(i.Addresses6, addr)) && a.cfg.Interfaces.VPC(i.ID) == vpc {
			return a.metadataTask(&t), true
		}
	}
	return metadata.Task{}, false
}

// clusterOf is a task's cluster as the agents of AWS write it: the node's as it was configured; on FARGATE, where tasks are of any, its ARN.
func (a *Agent) clusterOf(t *engine.Task) string {
	if t.Plan.LaunchType == fargate {
		return t.Payload.TaskClusterArn
	}
	return a.cfg.Cluster
}

func (a *Agent) metadataTask(t *engine.Task) metadata.Task {
	out := metadata.Task{
		Cluster: a.clusterOf(t), TaskARN: t.ARN, Family: t.Plan.Family, Revision: t.Plan.Version,
		ServiceName: t.Plan.Service, Group: t.Plan.Group, LaunchType: t.Plan.LaunchType,
		DesiredStatus: t.Desired(), KnownStatus: t.Status(), AvailabilityZone: *a.zone.Load(),
		PullStartedAt: instant(t.PullStarted), PullStoppedAt: instant(t.PullStopped),
		ExecutionStoppedAt: instant(t.ExecutionStopped), ClockDrift: clockDrift(clock.Now()),
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
	if use, ok := a.cfg.Runtime.StorageUse(t.ID); ok {
		out.EphemeralStorageMetrics = &metadata.EphemeralStorageMetrics{Utilized: use.Used >> 20, Reserved: use.Size >> 20}
	}
	if i := t.Plan.Interface; i != nil {
		out.VPCID = a.cfg.Interfaces.VPC(i.ID)
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
		out.Health = &metadata.Health{Status: health.Unknown, ExitCode: c.Health.ExitCode, Output: c.Health.Output}
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
	if i := t.Plan.Interface; i != nil {
		out.Networks, out.Ports = []metadata.Network{interfaceNetwork(i)}, interfacePorts(p)
		return out
	}
	out.Networks = []metadata.Network{networkOf(p, c)}
	return out
}

// interfaceNetwork is an interface of a task's own, as all its containers see it.
func interfaceNetwork(i *plan.Interface) metadata.Network {
	n := metadata.Network{
		NetworkMode: plan.AwsVpc, AttachmentIndex: &i.Index, MACAddress: i.MAC, IPv4SubnetCIDRBlock: i.Subnet(), IPv6SubnetCIDRBlock: i.Subnet6(),
		DomainNameServers: i.Servers, DomainNameSearchList: i.Search, PrivateDNSName: i.Hostname,
	}
	for _, a := range i.Addresses {
		n.IPv4Addresses = append(n.IPv4Addresses, a.String())
	}
	for _, a := range i.Addresses6 {
		n.IPv6Addresses = append(n.IPv6Addresses, a.String())
	}
	if i.Gateway.IsValid() {
		n.SubnetGatewayIPv4Address = i.Gateway.String()
	}
	if i.Gateway6.IsValid() {
		n.SubnetGatewayIPv6Address = i.Gateway6.String()
	}
	return n
}

// interfacePorts are the ports of a container whose task has an interface of its own: they are what they are.
func interfacePorts(p *plan.Container) []metadata.Port {
	var out []metadata.Port
	for _, port := range p.Ports {
		if port.ContainerPort > 0 {
			out = append(out, metadata.Port{ContainerPort: port.ContainerPort, HostPort: port.ContainerPort, Protocol: cmp.Or(port.Protocol, "tcp")})
		}
	}
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
