package taskdef

import (
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// defaults completes a container as AWS answers it. Task definitions that AWS
// answered, in public repositories, show cpu 0, essential true and the six empty
// lists; they show no volumes' readOnly, no runtimePlatform, no networkMode and no
// restartAttemptPeriod that was not asked for.
func defaults(c shape.ContainerDefinition, mode string) shape.ContainerDefinition {
	if c.Cpu == nil {
		c.Cpu = aws.Ptr(int32(0))
	}
	if c.Essential == nil {
		c.Essential = aws.Ptr(true)
	}
	c.Environment = orEmpty(c.Environment)
	c.MountPoints = orEmpty(c.MountPoints)
	c.VolumesFrom = orEmpty(c.VolumesFrom)
	c.SystemControls = orEmpty(c.SystemControls)
	c.PortMappings = orEmpty(c.PortMappings)
	for i := range c.PortMappings {
		c.PortMappings[i] = portDefaults(c.PortMappings[i], mode)
	}
	if c.HealthCheck != nil {
		c.HealthCheck = healthDefaults(*c.HealthCheck)
	}
	return c
}

// portDefaults: tcp; the host port is the container's where the task shares the
// node's ports or has its own, and 0 (picked by the node) in bridge mode.
func portDefaults(p shape.PortMapping, mode string) shape.PortMapping {
	if p.Protocol == nil {
		p.Protocol = aws.Ptr(shape.TransportProtocolTcp)
	}
	if aws.Val(p.HostPort) != 0 || p.ContainerPort == nil {
		return p
	}
	switch mode {
	case shape.NetworkModeHost, shape.NetworkModeAwsvpc:
		p.HostPort = aws.Ptr(*p.ContainerPort)
	default:
		p.HostPort = aws.Ptr(int32(0))
	}
	return p
}

// healthDefaults: interval 30 s, timeout 5 s, 3 retries; the start period is off.
func healthDefaults(h shape.HealthCheck) *shape.HealthCheck {
	h.Command = slices.Clone(h.Command)
	for _, f := range []struct {
		to    **int32
		value int32
	}{{&h.Interval, 30}, {&h.Timeout, 5}, {&h.Retries, 3}} {
		if *f.to == nil {
			*f.to = aws.Ptr(f.value)
		}
	}
	return &h
}

// volumeDefaults: a Docker volume lives as long as its task unless it is shared
// (DockerVolumeConfiguration.scope).
func volumeDefaults(v shape.Volume) shape.Volume {
	if v.DockerVolumeConfiguration == nil || v.DockerVolumeConfiguration.Scope != nil {
		return v
	}
	d := *v.DockerVolumeConfiguration
	d.Scope = aws.Ptr(shape.ScopeTask)
	v.DockerVolumeConfiguration = &d
	return v
}

// proxyDefaults: there is one type (ProxyConfiguration.type).
func proxyDefaults(p *shape.ProxyConfiguration) *shape.ProxyConfiguration {
	if p == nil || p.Type != nil {
		return p
	}
	out := *p
	out.Type = aws.Ptr(shape.ProxyConfigurationTypeAppmesh)
	return &out
}
