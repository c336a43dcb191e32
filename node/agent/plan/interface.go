package plan

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/berth-ecs/berth/session"
)

// Interface is a network interface that a task has to itself. All its containers are in its namespace.
type Interface struct {
	ID            string // "eni-..."
	AttachmentARN string
	Index         int
	MAC           string
	Addresses     []netip.Addr // the first is the primary one
	Addresses6    []netip.Addr
	Gateway       netip.Prefix // the subnet's first address and its length; invalid when nobody said
	Gateway6      netip.Prefix
	Hostname      string   // private DNS name
	Servers       []string // of names
	Search        []string
}

// planInterface reads the one interface that a task in awsvpc has.
func planInterface(in session.Task, n Node) (*Interface, error) {
	switch {
	case !n.Interfaces:
		return nil, errors.New("networkMode awsvpc: this node takes part in no virtual network")
	case len(in.ElasticNetworkInterfaces) != 1:
		return nil, fmt.Errorf("elasticNetworkInterfaces: a task in awsvpc has one, not %d", len(in.ElasticNetworkInterfaces))
	}
	e := in.ElasticNetworkInterfaces[0]
	out := &Interface{
		ID: e.EC2ID, AttachmentARN: e.AttachmentArn, Index: e.Index, MAC: e.MacAddress,
		Servers: e.DomainNameServers, Search: e.DomainName,
	}
	if e.EC2ID == "" || strings.ContainsAny(e.EC2ID, "/.") {
		return nil, fmt.Errorf("elasticNetworkInterfaces ec2Id %q: must be the id of an interface", e.EC2ID)
	}
	for _, a := range e.IPv4Addresses {
		addr, err := netip.ParseAddr(a.PrivateAddress)
		if err != nil || !addr.Is4() {
			return nil, fmt.Errorf("elasticNetworkInterfaces ipv4Addresses %q: must be an IPv4 address", a.PrivateAddress)
		}
		if a.Primary {
			out.Addresses = append([]netip.Addr{addr}, out.Addresses...)
		} else {
			out.Addresses = append(out.Addresses, addr)
		}
	}
	if len(out.Addresses) == 0 {
		return nil, errors.New("elasticNetworkInterfaces ipv4Addresses: an interface needs at least one")
	}
	for _, a := range e.IPv6Addresses {
		addr, err := netip.ParseAddr(a.Address)
		if err != nil || !addr.Is6() {
			return nil, fmt.Errorf("elasticNetworkInterfaces ipv6Addresses %q: must be an IPv6 address", a.Address)
		}
		out.Addresses6 = append(out.Addresses6, addr)
	}
	// A gateway that cannot be read is one that nobody said: the configuration of the node has its own.
	out.Gateway, _ = netip.ParsePrefix(e.SubnetGatewayIpv4Address)
	out.Gateway6, _ = netip.ParsePrefix(e.SubnetGatewayIpv6Address)
	out.Hostname = cmp.Or(e.PrivateDNSName, "ip-"+strings.ReplaceAll(out.Addresses[0].String(), ".", "-"))
	return out, nil
}

// Subnet is the range of the gateway's subnet, "" when nobody said.
func subnetOf(gateway netip.Prefix) string {
	if !gateway.IsValid() {
		return ""
	}
	return gateway.Masked().String()
}

// Subnet is the range of the interface's subnet, Subnet6 the one of IPv6; "" when nobody said.
func (i *Interface) Subnet() string  { return subnetOf(i.Gateway) }
func (i *Interface) Subnet6() string { return subnetOf(i.Gateway6) }
