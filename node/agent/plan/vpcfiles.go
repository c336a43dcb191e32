package plan

import (
	"fmt"
	"net/netip"
	"strings"
)

// InterfaceNames is what a task's interface is called, and whom its containers ask for names.
type InterfaceNames struct {
	Task      string       // required: the task's id
	Addresses []netip.Addr // required: the interface's primary IPv4 address, then one of IPv6 if it has any
	Hostname  string       // its private DNS name; "" where the VPC gives none
	Servers   []string     // those of the VPC's DHCP options: base + 2 for AmazonProvidedDNS
	Search    []string     // the domain name of the DHCP options
}

// resolvOptions are those that machines have in a VPC, and tasks with them.
const resolvOptions = "options timeout:2 attempts:5\n"

// Files answers the files that all containers of a task share in network mode awsvpc, where a container definition can change none of them.
// Nothing of the machine's is seen in them.
func (n InterfaceNames) Files() Files {
	name := n.Hostname
	if name == "" {
		name = hostname(n.Task)
	}
	var hosts strings.Builder
	hosts.WriteString("127.0.0.1\tlocalhost\n")
	for _, a := range n.Addresses {
		if a.Is6() { // only then is there an ::1 that somebody may reach
			hosts.Reset()
			hosts.WriteString(loopbackHosts)
		}
	}
	for _, a := range n.Addresses {
		fmt.Fprintf(&hosts, "%s\t%s\n", a, name)
	}
	return Files{Hosts: hosts.String(), Hostname: name + "\n", Resolv: Resolver{Servers: n.Servers, Search: n.Search}.String() + resolvOptions}
}
