package taskdef

import (
	"regexp"
	"strconv"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// maxPortMappings of a container: PortMapping.containerPortRange says 100 ranges.
const maxPortMappings = 100

// portName: PortMapping.name, at most 64 lowercase letters, numbers, underscores
// and hyphens, the first no hyphen.
var portName = regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]{0,63}$`)

// checkPorts: each mapping has a port or a range; modes that do not map ports want
// host and container port the same.
func checkPorts(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name, mode := aws.Val(c.Name), aws.Val(in.NetworkMode)
	if len(c.PortMappings) > maxPortMappings {
		return invalid("Too many port mappings for container '%s': at most %d are allowed.", name, maxPortMappings)
	}
	if mode == shape.NetworkModeNone && len(c.PortMappings) > 0 {
		return invalid("Port mappings are not supported when networkMode=none.")
	}
	for _, p := range c.PortMappings {
		if err := checkPort(name, mode, p); err != nil {
			return err
		}
		if err := checkPortName(name, p); err != nil {
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
		return invalid("Invalid port mapping for container '%s', cannot specify both single port and port range.", name)
	case p.ContainerPort != nil && (port < 1 || port > 65535):
		return invalid("Invalid 'containerPort' setting for container '%s'.", name)
	case host < 0 || host > 65535:
		return invalid("Invalid 'hostPort' setting for container '%s'.", name)
	case (mode == shape.NetworkModeAwsvpc || mode == shape.NetworkModeHost) && host != 0 && host != port:
		return invalid("When networkMode=%s, the host ports and container ports in port mappings must match.", mode)
	case p.ContainerPortRange != nil && mode == shape.NetworkModeHost:
		return invalid("Invalid 'containerPortRange' setting for container '%s': port ranges need networkMode bridge or awsvpc.", name)
	}
	if p.ContainerPortRange != nil {
		if _, _, ok := portRange(*p.ContainerPortRange); !ok {
			return invalid("Invalid 'containerPortRange' setting for container '%s'.", name)
		}
	}
	return oneOf("for container '"+name+"'", []choice{
		{"protocol", p.Protocol, []string{shape.TransportProtocolTcp, shape.TransportProtocolUdp}},
		{"appProtocol", p.AppProtocol, []string{shape.ApplicationProtocolHttp, shape.ApplicationProtocolHttp2, shape.ApplicationProtocolGrpc}},
	})
}

func checkPortName(name string, p shape.PortMapping) error {
	switch {
	case p.Name != nil && !portName.MatchString(*p.Name):
		return invalid("Invalid 'name' setting of a port mapping of container '%s': it may hold up to 64 lowercase letters, numbers, underscores and hyphens, and not begin with a hyphen.", name)
	case p.AppProtocol != nil && aws.Val(p.Protocol) == shape.TransportProtocolUdp:
		return invalid("Invalid 'appProtocol' setting for container '%s': it needs the protocol tcp.", name)
	}
	return nil
}

// portRange reads "8080-8090", the first below the last.
func portRange(s string) (low, high int, ok bool) {
	a, b, found := strings.Cut(s, "-")
	low, err := strconv.Atoi(a)
	if err != nil || !found {
		return 0, 0, false
	}
	high, err = strconv.Atoi(b)
	return low, high, err == nil && low >= 1 && low < high && high <= 65535
}

// checkPortsOfTask: no two mappings of a task have one name, or want one port.
func checkPortsOfTask(in *shape.RegisterTaskDefinitionRequest) error {
	mode := orBridge(aws.Val(in.NetworkMode))
	names := map[string]bool{}
	var taken []claim
	for i, c := range in.ContainerDefinitions {
		for _, p := range c.PortMappings {
			if n := aws.Val(p.Name); n != "" && names[n] {
				return invalid("When networkMode=%s, port mapping name is already used", mode)
			}
			names[aws.Val(p.Name)] = true
			mine := claims(p, i, mode)
			for _, m := range mine {
				if err := m.against(taken, mode); err != nil {
					return err
				}
			}
			taken = append(taken, mine...)
		}
	}
	return nil
}

// claim is a range of ports that a mapping wants for itself.
type claim struct {
	protocol  string
	of        string // container or host
	owner     int    // whose port: containers that share a network have one owner
	low, high int
}

// claims: containers share their ports in the modes awsvpc and host. In bridge mode
// each has its own, and a port may be published twice unless a range has it; the
// ports of the host are everybody's.
func claims(p shape.PortMapping, container int, mode string) []claim {
	c := claim{protocol: strings.ToUpper(orTCP(p)), of: "container", low: int(aws.Val(p.ContainerPort)), high: int(aws.Val(p.ContainerPort))}
	if p.ContainerPortRange != nil {
		c.low, c.high, _ = portRange(*p.ContainerPortRange)
	}
	if mode != shape.NetworkModeBridge {
		return []claim{c}
	}
	c.owner = container
	out := []claim{c}
	if n := int(aws.Val(p.HostPort)); n != 0 {
		out = append(out, claim{protocol: c.protocol, of: "host", low: n, high: n})
	}
	return out
}

func (c claim) against(taken []claim, mode string) error {
	for _, t := range taken {
		apart := t.protocol != c.protocol || t.of != c.of || t.owner != c.owner || t.high < c.low || c.high < t.low
		published := mode == shape.NetworkModeBridge && c.of == "container" && c.low == c.high && t.low == t.high
		if !apart && !published {
			return invalid("%s %s port '%d' is used multiple times in task when networkMode=%s.", c.protocol, c.of, max(c.low, t.low), mode)
		}
	}
	return nil
}

func orTCP(p shape.PortMapping) string {
	if p.Protocol == nil {
		return shape.TransportProtocolTcp
	}
	return *p.Protocol
}

func orBridge(mode string) string {
	if mode == "" {
		return shape.NetworkModeBridge
	}
	return mode
}
