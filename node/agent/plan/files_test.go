package plan

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiles(t *testing.T) {
	addr := netip.MustParseAddr("172.28.0.5")
	stub := HostFiles{
		Hosts: "127.0.0.1 host\n", Resolv: "nameserver 127.0.0.53\nsearch lan\noptions edns0\n", Upstream: "nameserver 192.168.1.1\n",
	}
	for _, c := range []struct {
		name string
		c    Container
		addr netip.Addr
		host HostFiles
		want Files
	}{
		{"bridge behind a stub", Container{NetworkMode: Bridge, Hostname: "h", ExtraHosts: []HostEntry{{"db", netip.MustParseAddr("10.0.0.1")}}}, addr, stub, Files{
			Hosts: loopbackHosts + "10.0.0.1\tdb\n172.28.0.5\th\n", Hostname: "h\n",
			Resolv: "nameserver 192.168.1.1\nsearch lan\noptions edns0\n",
		}},
		{"host", Container{NetworkMode: Host}, netip.Addr{}, stub, Files{
			Hosts: "127.0.0.1 host\n", Resolv: "nameserver 127.0.0.53\nsearch lan\noptions edns0\n",
		}},
		{"nothing known", Container{NetworkMode: Bridge, Hostname: "h"}, addr, HostFiles{}, Files{
			Hosts: loopbackHosts + "172.28.0.5\th\n", Hostname: "h\n", Resolv: "nameserver 8.8.8.8\nnameserver 8.8.4.4\n",
		}},
		{"own servers", Container{NetworkMode: None, Hostname: "h", DNS: Resolver{Servers: []string{"1.1.1.1"}, Search: []string{"a", "b"}, Options: []string{"ndots:1"}}}, netip.Addr{}, stub, Files{
			Hosts: loopbackHosts, Hostname: "h\n", Resolv: "nameserver 1.1.1.1\nsearch a b\noptions ndots:1\n",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.c.Files(c.addr, c.host, nil)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Tasks on the bridge and on the machine's network ask the node's resolver, unless their definition names servers; search list and options are the machine's.
func TestResolverOfTasksWithoutInterface(t *testing.T) {
	node := Node{Resolver: netip.MustParseAddr("169.254.170.2")}
	host := HostFiles{Resolv: "nameserver 127.0.0.53\nsearch lan\noptions edns0\n"}
	for _, c := range []struct {
		mode    string
		servers []string
		want    string
	}{
		{Bridge, nil, "nameserver 169.254.170.2\nsearch lan\noptions edns0\n"},
		{Host, nil, "nameserver 169.254.170.2\nsearch lan\noptions edns0\n"},
		{Bridge, []string{"1.1.1.1"}, "nameserver 1.1.1.1\nsearch lan\noptions edns0\n"},
		{None, nil, "nameserver 8.8.8.8\nnameserver 8.8.4.4\nsearch lan\noptions edns0\n"},
	} {
		b := &builder{task: &Task{}, node: node, host: hostConfig{Dns: c.servers}}
		got := Container{NetworkMode: c.mode, Hostname: "h"}
		if err := b.names(&got); err != nil {
			t.Fatal(err)
		}
		if f := got.Files(netip.Addr{}, host, nil); f.Resolv != c.want {
			t.Errorf("%s %v: %q, want %q", c.mode, c.servers, f.Resolv, c.want)
		}
	}
}
