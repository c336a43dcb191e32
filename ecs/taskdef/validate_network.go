package taskdef

import (
	"net/netip"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkNetworking: what of a container's network a mode does not have. The
// sentences are AWS's.
func checkNetworking(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	mode := aws.Val(in.NetworkMode)
	if len(c.Links) > 0 && mode != "" && mode != shape.NetworkModeBridge {
		return invalid("Links are not supported when networkMode=%s.", mode)
	}
	for _, row := range []struct {
		set  bool
		what string
	}{
		{aws.Val(c.Hostname) != "", "hostname is"},
		{len(c.ExtraHosts) > 0, "Extra hosts are"},
		{len(c.DnsServers) > 0, "DNS servers are"},
		{len(c.DnsSearchDomains) > 0, "DNS search domains are"},
		{aws.Val(c.DisableNetworking), "Disable Networking is"},
	} {
		if row.set && mode == shape.NetworkModeAwsvpc {
			return invalid("%s not supported on container when networkMode=awsvpc.", row.what)
		}
	}
	return checkHosts(c)
}

func checkHosts(c *shape.ContainerDefinition) error {
	name := aws.Val(c.Name)
	for _, h := range c.ExtraHosts {
		if aws.Val(h.Hostname) == "" {
			return invalid("Invalid 'extraHosts' setting for container '%s': 'hostname' should not be null or empty.", name)
		}
		if _, err := netip.ParseAddr(aws.Val(h.IpAddress)); err != nil {
			return invalid("Invalid 'extraHosts' setting for container '%s': '%s' is not an IP address.", name, aws.Val(h.IpAddress))
		}
	}
	for _, s := range c.DnsServers {
		if _, err := netip.ParseAddr(s); err != nil {
			return invalid("Invalid 'dnsServers' setting for container '%s': '%s' is not an IP address.", name, s)
		}
	}
	return nil
}

// checkLinks: links name containers of the task and have no cycle.
func checkLinks(in *shape.RegisterTaskDefinitionRequest) error {
	edges := map[string][]string{}
	for _, c := range in.ContainerDefinitions {
		name := aws.Val(c.Name)
		for _, link := range c.Links {
			to, alias, aliased := strings.Cut(link, ":")
			switch {
			case !validName.MatchString(to), aliased && !validName.MatchString(alias):
				return invalid("Invalid 'links' setting for container '%s': '%s' is not of the form name or name:alias.", name, link)
			case container(in, to) == nil:
				return invalid("Invalid 'links' setting for container '%s': unknown container '%s'.", name, to)
			}
			edges[name] = append(edges[name], to)
		}
	}
	if cyclic(edges) {
		return invalid("Container links should not have a cycle")
	}
	return nil
}
