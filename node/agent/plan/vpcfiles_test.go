package plan

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInterfaceFiles(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("2001:db8::5")
	const options = "options timeout:2 attempts:5\n"
	for _, c := range []struct {
		name string
		n    InterfaceNames
		want Files
	}{
		{"AmazonProvidedDNS", InterfaceNames{Addresses: []netip.Addr{four}, Hostname: "ip-10-0-0-5.ec2.internal", Servers: []string{"10.0.0.2"}, Search: []string{"ec2.internal"}}, Files{
			Hosts: "127.0.0.1\tlocalhost\n10.0.0.5\tip-10-0-0-5.ec2.internal\n", Hostname: "ip-10-0-0-5.ec2.internal\n",
			Resolv: "nameserver 10.0.0.2\nsearch ec2.internal\n" + options,
		}},
		{"own servers and domains", InterfaceNames{Addresses: []netip.Addr{four}, Hostname: "h", Servers: []string{"10.0.0.9", "10.0.1.9"}, Search: []string{"a.example", "b.example"}}, Files{
			Hosts: "127.0.0.1\tlocalhost\n10.0.0.5\th\n", Hostname: "h\n", Resolv: "nameserver 10.0.0.9\nnameserver 10.0.1.9\nsearch a.example b.example\n" + options,
		}},
		{"dual stack", InterfaceNames{Addresses: []netip.Addr{four, six}, Hostname: "h", Servers: []string{"10.0.0.2"}}, Files{
			Hosts: loopbackHosts + "10.0.0.5\th\n2001:db8::5\th\n", Hostname: "h\n", Resolv: "nameserver 10.0.0.2\n" + options,
		}},
		{"a VPC without DNS hostnames", InterfaceNames{Task: "t", Addresses: []netip.Addr{four}}, Files{
			Hosts: "127.0.0.1\tlocalhost\n10.0.0.5\t" + hostname("t") + "\n", Hostname: hostname("t") + "\n", Resolv: options,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.n.Files()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
