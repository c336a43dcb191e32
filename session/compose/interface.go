package compose

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/session"
)

// elastic is a task's interface as its agent is told of it.
func elastic(t *ecs.Task) session.ElasticNetworkInterface {
	i := t.Interface
	out := session.ElasticNetworkInterface{
		AttachmentArn: t.AttachmentARN(i.Attachment), EC2ID: i.ID, MacAddress: i.MAC, Protocol: session.InterfaceDefault,
		IPv4Addresses:  []session.IPv4Address{{Primary: true, PrivateAddress: i.Private.String()}},
		PrivateDNSName: i.DNSName, DomainName: i.Search, SubnetGatewayIpv4Address: i.Gateway.String(),
	}
	for n, a := range i.IPv6 {
		out.IPv6Addresses = append(out.IPv6Addresses, session.IPv6Address{Primary: n == 0, Address: a.String()})
	}
	if i.Gateway6.IsValid() {
		out.SubnetGatewayIpv6Address = i.Gateway6.String()
	}
	for _, s := range i.Servers {
		out.DomainNameServers = append(out.DomainNameServers, s.String())
	}
	return out
}
