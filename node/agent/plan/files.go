package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// HostEntry is a line of /etc/hosts.
type HostEntry struct {
	Name    string
	Address netip.Addr
}

// Resolver is what a container's resolv.conf says; empty members are the host's.
type Resolver struct {
	Servers, Search, Options []string
}

// Files are the contents of a container's own /etc/hosts, /etc/hostname and /etc/resolv.conf, as Docker makes them.
type Files struct {
	Hosts, Hostname, Resolv string
}

// HostFiles are the machine's.
type HostFiles struct {
	Hosts, Resolv string
	// Upstream is /run/systemd/resolve/resolv.conf: the servers behind a stub resolver on the loopback.
	Upstream string
}

// Files answers the container's files. addr is the container's address; invalid without a network or in host mode. links
// are what LinkHosts answered, or nil when nothing that it links to runs yet.
func (c *Container) Files(addr netip.Addr, host HostFiles, links []HostEntry) Files {
	f := Files{Hostname: c.Hostname + "\n", Resolv: c.resolv(host)}
	if c.Hostname == "" {
		f.Hostname = ""
	}
	var b strings.Builder
	switch {
	case c.NetworkMode == Host:
		b.WriteString(host.Hosts)
	case c.NetworkMode == AwsVpc && !slices.ContainsFunc(c.ExtraHosts, func(e HostEntry) bool { return e.Address.Is6() }):
		b.WriteString(loopbackHosts4) // as on AWS: ::1 is nobody's where the interface has no IPv6
	default:
		b.WriteString(loopbackHosts)
	}
	for _, e := range slices.Concat(c.ExtraHosts, links) {
		fmt.Fprintf(&b, "%s\t%s\n", e.Address, e.Name)
	}
	if addr.IsValid() {
		fmt.Fprintf(&b, "%s\t%s\n", addr, c.Hostname)
	}
	f.Hosts = b.String()
	return f
}

const loopbackHosts4 = "127.0.0.1\tlocalhost\n"

const loopbackHosts = `127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
ff00::0	ip6-mcastprefix
ff02::1	ip6-allnodes
ff02::2	ip6-allrouters
`

// publicServers are Docker's: used when the machine names no server that a container can reach.
var publicServers = []string{"8.8.8.8", "8.8.4.4"}

// resolv merges the container's wishes over the machine's resolv.conf. In a namespace of its own a container cannot
// reach servers on the machine's loopback.
func (c *Container) resolv(host HostFiles) string {
	if c.NetworkMode == AwsVpc { // nothing of the machine's is seen there
		return c.DNS.String()
	}
	r := parseResolv(host.Resolv)
	if c.NetworkMode != Host {
		if reachable(r.Servers) == nil && host.Upstream != "" {
			r.Servers = parseResolv(host.Upstream).Servers
		}
		if r.Servers = reachable(r.Servers); r.Servers == nil {
			r.Servers = publicServers
		}
	}
	if len(c.DNS.Servers) > 0 {
		r.Servers = c.DNS.Servers
	}
	if len(c.DNS.Search) > 0 {
		r.Search = c.DNS.Search
	}
	if len(c.DNS.Options) > 0 {
		r.Options = c.DNS.Options
	}
	return r.String()
}

func (r Resolver) String() string {
	var b strings.Builder
	for _, s := range r.Servers {
		b.WriteString("nameserver " + s + "\n")
	}
	if len(r.Search) > 0 {
		b.WriteString("search " + strings.Join(r.Search, " ") + "\n")
	}
	if len(r.Options) > 0 {
		b.WriteString("options " + strings.Join(r.Options, " ") + "\n")
	}
	return b.String()
}

func parseResolv(s string) Resolver {
	var r Resolver
	for line := range strings.Lines(s) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			r.Servers = append(r.Servers, f[1])
		case "search", "domain":
			r.Search = f[1:]
		case "options":
			r.Options = append(r.Options, f[1:]...)
		}
	}
	return r
}

func reachable(servers []string) []string {
	var out []string
	for _, s := range servers {
		if a, err := netip.ParseAddr(s); err == nil && !a.IsLoopback() {
			out = append(out, s)
		}
	}
	return out
}
