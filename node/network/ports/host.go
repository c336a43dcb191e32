package ports

import "cmp"

// Host are the ports of a container on the machine's own network: what it asked for is what it has.
func Host(in []Port) []Binding {
	var out []Binding
	for _, p := range in {
		out = append(out, Binding{BindIP: "0.0.0.0", ContainerPort: p.ContainerPort, HostPort: p.ContainerPort,
			ContainerPortRange: p.ContainerPortRange, HostPortRange: p.ContainerPortRange, Protocol: cmp.Or(p.Protocol, "tcp")})
	}
	return out
}
