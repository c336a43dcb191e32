package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// network decides the container's mode and ports.
func (b *builder) network(c *Container) error {
	c.NetworkMode = b.task.NetworkMode
	switch m := b.host.NetworkMode; {
	case c.NetworkMode == AwsVpc: // its containers share what the task has
	case b.config.NetworkDisabled:
		c.NetworkMode = None
	case m == "" || m == "default" && c.NetworkMode == Bridge:
	case m != Bridge && m != Host && m != None:
		return fmt.Errorf("hostConfig.NetworkMode %q: this node has bridge, host and none", m)
	default:
		c.NetworkMode = m
	}
	for _, p := range b.in.PortMappings {
		if p.Protocol != "" && p.Protocol != "tcp" && p.Protocol != "udp" {
			return fmt.Errorf("portMappings protocol %q: must be tcp or udp", p.Protocol)
		}
		if c.NetworkMode == None {
			return errors.New("portMappings: a container without a network cannot publish ports")
		}
		c.Ports = append(c.Ports, Port{
			ContainerPort: p.ContainerPort, HostPort: p.HostPort,
			ContainerPortRange: p.ContainerPortRange, Protocol: p.Protocol,
		})
	}
	return nil
}

// names decides the hostname and what the container's resolver files say.
func (b *builder) names(c *Container) error {
	switch {
	case c.NetworkMode == AwsVpc:
		c.Hostname = b.task.Interface.Hostname
	case c.Hostname == "" && c.NetworkMode != Host:
		c.Hostname = hostname(c.ID)
	}
	for _, e := range b.host.ExtraHosts {
		name, addr, ok := strings.Cut(e, ":")
		ip, err := netip.ParseAddr(strings.Trim(addr, "[]"))
		if !ok || err != nil || name == "" {
			return fmt.Errorf("hostConfig.ExtraHosts %q: must be NAME:ADDRESS", e)
		}
		c.ExtraHosts = append(c.ExtraHosts, HostEntry{Name: name, Address: ip})
	}
	for _, s := range b.host.Dns {
		if _, err := netip.ParseAddr(s); err != nil {
			return fmt.Errorf("hostConfig.Dns %q: must be an address", s)
		}
	}
	c.DNS = Resolver{Servers: b.host.Dns, Search: b.host.DnsSearch, Options: b.host.DnsOptions}
	if r := b.node.Resolver; len(c.DNS.Servers) == 0 && r.IsValid() && (c.NetworkMode == Bridge || c.NetworkMode == Host) {
		c.DNS.Servers = []string{r.String()}
	}
	if i := b.task.Interface; i != nil {
		if len(c.DNS.Servers) == 0 {
			c.DNS.Servers = i.Servers
		}
		if len(c.DNS.Search) == 0 {
			c.DNS.Search = i.Search
		}
		if len(c.DNS.Options) == 0 { // a machine's in a VPC, which tasks have from it
			c.DNS.Options = []string{"timeout:2", "attempts:5"}
		}
		for _, a := range i.Addresses6 {
			c.ExtraHosts = append(c.ExtraHosts, HostEntry{Name: c.Hostname, Address: a})
		}
	}
	return nil
}

// hostname is twelve hex digits, as Docker's.
func hostname(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:6])
}
