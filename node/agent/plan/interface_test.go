package plan

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-ecs/berth/session"
)

func TestATaskWithAnInterface(t *testing.T) {
	n := testNode
	n.Interfaces = true
	in := web(func(t *session.Task, c *session.Container) {
		t.NetworkMode = "awsvpc"
		t.ElasticNetworkInterfaces = []session.ElasticNetworkInterface{{
			EC2ID: "eni-1", AttachmentArn: "arn:a", Index: 1, MacAddress: "0a:00:00:00:00:01", PrivateDNSName: "ip-10-0-0-4.ec2.internal",
			IPv4Addresses: []session.IPv4Address{{PrivateAddress: "10.0.0.9"}, {Primary: true, PrivateAddress: "10.0.0.4"}},
			IPv6Addresses: []session.IPv6Address{{Address: "fd00::4"}}, SubnetGatewayIpv4Address: "10.0.0.1/24", SubnetGatewayIpv6Address: "",
			DomainName: []string{"ec2.internal"}, DomainNameServers: []string{"10.0.0.2"},
		}}
		c.PortMappings = []session.PortMapping{{ContainerPort: 80, HostPort: 80}}
	})
	p, err := New(in, n)
	if err != nil {
		t.Fatal(err)
	}
	want := &Interface{
		ID: "eni-1", AttachmentARN: "arn:a", Index: 1, MAC: "0a:00:00:00:00:01", Hostname: "ip-10-0-0-4.ec2.internal",
		Addresses:  []netip.Addr{netip.MustParseAddr("10.0.0.4"), netip.MustParseAddr("10.0.0.9")},
		Addresses6: []netip.Addr{netip.MustParseAddr("fd00::4")}, Gateway: netip.MustParsePrefix("10.0.0.1/24"),
		Search: []string{"ec2.internal"}, Servers: []string{"10.0.0.2"},
	}
	if diff := cmp.Diff(want, p.Interface, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Interface.Subnet() != "10.0.0.0/24" || p.Interface.Subnet6() != "" {
		t.Errorf("subnets %q %q", p.Interface.Subnet(), p.Interface.Subnet6())
	}
	c := p.Containers[0]
	if c.NetworkMode != AwsVpc || c.Hostname != "ip-10-0-0-4.ec2.internal" || len(c.Ports) != 1 {
		t.Errorf("%+v", c)
	}
	f := c.Files(p.Interface.Addresses[0], HostFiles{Hosts: "10.9.9.9 machine\n", Resolv: "nameserver 9.9.9.9\nsearch machine.lan\n"}, nil)
	if f.Resolv != "nameserver 10.0.0.2\nsearch ec2.internal\noptions timeout:2 attempts:5\n" {
		t.Errorf("resolv.conf %q", f.Resolv)
	}
	if want := loopbackHosts + "fd00::4\tip-10-0-0-4.ec2.internal\n10.0.0.4\tip-10-0-0-4.ec2.internal\n"; f.Hosts != want {
		t.Errorf("hosts %q", f.Hosts)
	}

	in.ElasticNetworkInterfaces[0].IPv6Addresses = nil
	if p, err = New(in, n); err != nil {
		t.Fatal(err)
	}
	if f := p.Containers[0].Files(p.Interface.Addresses[0], HostFiles{}, nil); f.Hosts != "127.0.0.1\tlocalhost\n10.0.0.4\tip-10-0-0-4.ec2.internal\n" || f.Hostname != "ip-10-0-0-4.ec2.internal\n" {
		t.Errorf("without IPv6: %+v", f)
	}

	in.ElasticNetworkInterfaces[0].PrivateDNSName = ""
	if p, err = New(in, n); err != nil || p.Containers[0].Hostname != "ip-10-0-0-4" {
		t.Errorf("%v %+v", err, p)
	}
}

// What the task definition asks of names goes before what the VPC says.
func TestNamesOfATaskWithAnInterface(t *testing.T) {
	n := testNode
	n.Interfaces = true
	p, err := New(web(func(t *session.Task, c *session.Container) {
		t.NetworkMode = "awsvpc"
		t.ElasticNetworkInterfaces = []session.ElasticNetworkInterface{{
			EC2ID: "eni-1", IPv4Addresses: []session.IPv4Address{{PrivateAddress: "10.0.0.4"}}, DomainNameServers: []string{"10.0.0.2"},
		}}
		c.DockerConfig.HostConfig = `{"NetworkMode":"none","Dns":["10.0.0.53"],"DnsSearch":["corp"]}`
	}), n)
	if err != nil {
		t.Fatal(err)
	}
	if f := p.Containers[0].Files(p.Interface.Addresses[0], HostFiles{}, nil); f.Resolv != "nameserver 10.0.0.53\nsearch corp\noptions timeout:2 attempts:5\n" {
		t.Errorf("resolv.conf %q", f.Resolv)
	}
}
