package taskdef

import (
	"fmt"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkPorts: at most 100 mappings; each has a port or a range; modes that do not
// map ports want host and container port the same.
func checkPorts(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name, mode := aws.Val(c.Name), aws.Val(in.NetworkMode)
	if len(c.PortMappings) > 100 {
		return invalid("Too many port mappings for container '%s': at most 100 are allowed.", name)
	}
	if mode == shape.NetworkModeNone && len(c.PortMappings) > 0 {
		return invalid("Invalid 'portMappings' setting for container '%s': port mappings are not allowed when networkMode=none.", name)
	}
	for _, p := range c.PortMappings {
		if err := checkPort(name, mode, p); err != nil {
			return err
		}
	}
	return nil
}

func checkPort(name, mode string, p shape.PortMapping) error {
	host, port := aws.Val(p.HostPort), aws.Val(p.ContainerPort)
	switch {
	case p.ContainerPort == nil && p.ContainerPortRange == nil:
		return invalid("Invalid 'portMappings' setting for container '%s': 'containerPort' or 'containerPortRange' must be specified.", name)
	case p.ContainerPortRange != nil && (p.ContainerPort != nil || p.HostPort != nil):
		return invalid("Invalid 'portMappings' setting for container '%s': 'containerPortRange' excludes 'containerPort' and 'hostPort'.", name)
	case port < 0 || port > 65535 || (p.ContainerPort != nil && port == 0):
		return invalid("Invalid 'containerPort' setting for container '%s'.", name)
	case host < 0 || host > 65535:
		return invalid("Invalid 'hostPort' setting for container '%s'.", name)
	case p.Protocol != nil && *p.Protocol != shape.TransportProtocolTcp && *p.Protocol != shape.TransportProtocolUdp:
		return invalid("Invalid 'protocol' setting for container '%s': it must be tcp or udp.", name)
	case mode == shape.NetworkModeAwsvpc && host != 0 && host != port:
		return invalid("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
	case mode == shape.NetworkModeHost && host != 0 && host != port:
		return invalid("When networkMode=host, the host ports and container ports in port mappings must match.")
	}
	if p.ContainerPortRange != nil {
		return checkRange(name, *p.ContainerPortRange)
	}
	return nil
}

func checkRange(name, r string) error {
	var low, high int
	if n, err := fmt.Sscanf(r, "%d-%d", &low, &high); err != nil || n != 2 || low < 1 || high > 65535 || low > high {
		return invalid("Invalid 'containerPortRange' setting for container '%s': %q is not a range of ports like 3000-3010.", name, r)
	}
	return nil
}
