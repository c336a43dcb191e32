package compose

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/session"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Start composes the task that a payload asks an agent to run.
func Start(t *ecs.Task, d *ecs.TaskDefinition) (session.Task, error) {
	doc := &d.Document
	out := session.Task{
		Arn:                     t.ARN(),
		TaskClusterArn:          t.ClusterARN(t.Cluster),
		DesiredStatus:           shape.DesiredStatusRunning,
		Family:                  t.Family,
		Version:                 strconv.Itoa(int(t.Revision)),
		Overrides:               "{}",
		NetworkMode:             networkMode(doc),
		PidMode:                 aws.Val(doc.PidMode),
		IpcMode:                 aws.Val(doc.IpcMode),
		LaunchType:              t.LaunchType,
		ServiceName:             t.Service,
		Group:                   t.Group,
		TaskDefinitionAccountID: d.Account,
		SandboxMemory:           t.BesideMiB(),
		EphemeralStorage:        t.Holds.StorageGiB,
		EnableFaultInjection:    aws.Val(doc.EnableFaultInjection),
	}
	if t.Interface != nil {
		out.ElasticNetworkInterfaces = []session.ElasticNetworkInterface{elastic(t)}
	}
	var err error
	if out.CPU, out.Memory, err = taskLimits(t, doc); err != nil {
		return session.Task{}, err
	}
	for _, v := range doc.Volumes {
		out.Volumes = append(out.Volumes, volume(v))
	}
	for i := range doc.ContainerDefinitions {
		c, err := container(t, doc, &doc.ContainerDefinitions[i])
		if err != nil {
			return session.Task{}, err
		}
		out.Containers = append(out.Containers, c)
	}
	return out, nil
}

// Stop composes the task that a payload asks an agent to stop.
func Stop(t *ecs.Task) session.Task {
	return session.Task{
		Arn:            t.ARN(),
		TaskClusterArn: t.ClusterARN(t.Cluster),
		DesiredStatus:  shape.DesiredStatusStopped,
		Family:         t.Family,
		Version:        strconv.Itoa(int(t.Revision)),
		Containers:     []session.Container{},
		Overrides:      "{}",
	}
}

// Manifest composes the list of tasks that run on an instance as far as its agent has to know: one that is to stop runs until the agent is told.
func Manifest(tasks []ecs.TaskView) []session.TaskIdentifier {
	out := []session.TaskIdentifier{}
	for _, t := range tasks {
		out = append(out, session.TaskIdentifier{
			TaskArn: t.ARN(), TaskClusterArn: t.ClusterARN(t.Cluster), DesiredStatus: shape.DesiredStatusRunning,
		})
	}
	return out
}

func networkMode(doc *shape.TaskDefinition) string {
	return cmp.Or(aws.Val(doc.NetworkMode), shape.NetworkModeBridge)
}

// taskLimits are the task-level limits in vCPU and MiB; zero is none. An override
// wins.
func taskLimits(t *ecs.Task, doc *shape.TaskDefinition) (cpu float64, memory int64, err error) {
	if s := cmp.Or(aws.Val(t.Overrides.Cpu), aws.Val(doc.Cpu)); s != "" {
		units, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("compose: cpu of %s: %w", t.ARN(), err)
		}
		cpu = units / 1024
	}
	if s := cmp.Or(aws.Val(t.Overrides.Memory), aws.Val(doc.Memory)); s != "" {
		if memory, err = strconv.ParseInt(s, 10, 64); err != nil {
			return 0, 0, fmt.Errorf("compose: memory of %s: %w", t.ARN(), err)
		}
	}
	return cpu, memory, nil
}

func container(t *ecs.Task, doc *shape.TaskDefinition, d *shape.ContainerDefinition) (session.Container, error) {
	o := override(t, aws.Val(d.Name))
	memory, reservation := first(o.Memory, d.Memory), first(o.MemoryReservation, d.MemoryReservation)
	c := session.Container{
		Name:         aws.Val(d.Name),
		Image:        aws.Val(d.Image),
		EntryPoint:   d.EntryPoint,
		Command:      d.Command,
		Environment:  environment(d.Environment, o.Environment),
		Essential:    d.Essential == nil || *d.Essential,
		CPU:          int64(aws.Val(first(o.Cpu, d.Cpu))),
		Memory:       int64(aws.Val(memory)),
		Overrides:    "{}",
		Links:        d.Links,
		StartTimeout: int64(aws.Val(d.StartTimeout)),
		Privileged:   aws.Val(d.Privileged),
		DockerConfig: session.DockerConfig{Version: dockerAPI},
	}
	c.RegistryAuthentication = registryAuthentication(t, c.Image)
	if o.Command != nil {
		c.Command = o.Command
	}
	if d.StopTimeout != nil {
		c.StopTimeout = aws.Ptr(int64(*d.StopTimeout))
	}
	if d.HealthCheck != nil {
		c.HealthCheckType = "docker"
	}
	for _, tc := range t.Containers {
		if tc.Name == c.Name {
			c.ContainerArn = t.ContainerARN(t.Cluster, t.ID, tc.ID)
		}
	}
	lists(&c, d)
	var err error
	if c.DockerConfig.Config, err = dockerConfig(d); err != nil {
		return c, err
	}
	c.DockerConfig.HostConfig, err = dockerHostConfig(d, networkMode(doc), reservation, memory)
	return c, err
}

// lists fills what is a list in both worlds.
func lists(c *session.Container, d *shape.ContainerDefinition) {
	for _, p := range d.PortMappings {
		c.PortMappings = append(c.PortMappings, session.PortMapping{
			ContainerPort:      int(aws.Val(p.ContainerPort)),
			HostPort:           int(aws.Val(p.HostPort)),
			ContainerPortRange: aws.Val(p.ContainerPortRange),
			Protocol:           cmp.Or(aws.Val(p.Protocol), shape.TransportProtocolTcp),
		})
	}
	for _, m := range d.MountPoints {
		c.MountPoints = append(c.MountPoints, session.MountPoint{
			SourceVolume: aws.Val(m.SourceVolume), ContainerPath: aws.Val(m.ContainerPath), ReadOnly: aws.Val(m.ReadOnly),
		})
	}
	for _, v := range d.VolumesFrom {
		c.VolumesFrom = append(c.VolumesFrom, session.VolumeFrom{
			SourceContainer: aws.Val(v.SourceContainer), ReadOnly: aws.Val(v.ReadOnly),
		})
	}
	for _, dep := range d.DependsOn {
		c.DependsOn = append(c.DependsOn, session.DependsOn{
			ContainerName: aws.Val(dep.ContainerName), Condition: aws.Val(dep.Condition),
		})
	}
	if r := d.RestartPolicy; r != nil {
		c.RestartPolicy = &session.RestartPolicy{
			Enabled: aws.Val(r.Enabled), RestartAttemptPeriod: int(aws.Val(r.RestartAttemptPeriod)),
		}
		for _, code := range r.IgnoredExitCodes {
			c.RestartPolicy.IgnoredExitCodes = append(c.RestartPolicy.IgnoredExitCodes, int(code))
		}
	}
}

func volume(v shape.Volume) session.Volume {
	out := session.Volume{Name: aws.Val(v.Name), Type: "host", Host: &session.HostVolume{}}
	if v.Host != nil {
		out.Host.SourcePath = aws.Val(v.Host.SourcePath)
	}
	if d := v.DockerVolumeConfiguration; d != nil {
		out.Type, out.Host = "docker", nil
		out.Docker = &session.DockerVolume{
			Scope:         cmp.Or(aws.Val(d.Scope), shape.ScopeTask),
			Autoprovision: aws.Val(d.Autoprovision),
			Driver:        aws.Val(d.Driver),
			DriverOpts:    d.DriverOpts,
			Labels:        d.Labels,
		}
	}
	return out
}

// override is what the caller of RunTask changed of a container.
func override(t *ecs.Task, name string) shape.ContainerOverride {
	for _, o := range t.Overrides.ContainerOverrides {
		if aws.Val(o.Name) == name {
			return o
		}
	}
	return shape.ContainerOverride{}
}

func environment(lists ...[]shape.KeyValuePair) map[string]string {
	env := make(map[string]string)
	for _, l := range lists {
		for _, kv := range l {
			env[aws.Val(kv.Name)] = aws.Val(kv.Value)
		}
	}
	return env
}

func first[T any](values ...*T) *T {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}
