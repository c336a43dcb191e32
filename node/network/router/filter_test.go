package router

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/nodeconf"
)

// probe is a try to reach a server and whether it gets there.
type probe struct {
	proto string
	port  int
	ok    bool
}

func (p probe) run(t *testing.T, from, to Endpoint) {
	t.Helper()
	timeout := moment
	if p.ok {
		timeout = patience
	}
	name, _, err := spacetest.Ask(from.Netns, p.proto, at(to, p.port), timeout)
	if got := err == nil && name == to.ID; got != p.ok {
		t.Errorf("%s to %s, %s %d: %t (%q, %v), want %t", from.ID, to.ID, p.proto, p.port, got, name, err, p.ok)
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.group("vpc-1", "sg-server")
	n.group("vpc-1", "sg-client")
	n.group("vpc-1", "sg-more")
	n.iface("eni-client", "vpc-1a", "sg-client")
	n.iface("eni-server", "vpc-1b", "sg-server")
	n.apply(t, r)
	client, server := wait(t, r, "eni-client"), wait(t, r, "eni-server")
	for _, port := range []int{80, 81, 443} {
		spacetest.Space(server.Netns).Serve(t, "tcp", fmt.Sprintf(":%d", port), server.ID)
		spacetest.Space(server.Netns).Serve(t, "udp", fmt.Sprintf(":%d", port), server.ID)
	}
	own := netip.PrefixFrom(client.Addresses[0], 32).String()
	none := []probe{{"tcp", 80, false}, {"udp", 80, false}}
	tests := []struct {
		name   string
		in     []nodeconf.Allow
		probes []probe
	}{
		{"nothing", nil, none},
		{"one port", []nodeconf.Allow{allow(6, 80, 80, anywhere)}, []probe{{"tcp", 80, true}, {"tcp", 81, false}, {"udp", 80, false}}},
		{"a range of ports", []nodeconf.Allow{allow(17, 80, 81, "10.0.0.0/8")}, []probe{{"udp", 80, true}, {"udp", 81, true}, {"udp", 443, false}, {"tcp", 80, false}}},
		{"all ports", []nodeconf.Allow{allow(6, -1, -1, own)}, []probe{{"tcp", 443, true}, {"udp", 443, false}}},
		{"another address", []nodeconf.Allow{allow(-1, -1, -1, "10.0.1.200/32")}, none},
		{"every protocol", []nodeconf.Allow{allow(-1, -1, -1, own), allow(6, 80, 80, own)}, []probe{{"tcp", 81, true}, {"udp", 80, true}}},
		{"the client's group", []nodeconf.Allow{allow(6, 81, 443, "sg-client")}, []probe{{"tcp", 80, false}, {"tcp", 81, true}, {"tcp", 443, true}, {"udp", 81, false}}},
		{"every protocol of a group", []nodeconf.Allow{allow(-1, -1, -1, "sg-client")}, []probe{{"tcp", 80, true}, {"udp", 80, true}}},
		{"a group without the client", []nodeconf.Allow{allow(-1, -1, -1, "sg-more")}, none},
	}
	for _, test := range tests {
		n.group("vpc-1", "sg-server", test.in...)
		n.apply(t, r)
		t.Run(test.name, func(t *testing.T) {
			for _, p := range test.probes {
				p.run(t, client, server)
			}
		})
	}
	t.Run("a member more", func(t *testing.T) { // the last group of the table
		n.Members[nodeconf.MemberKey("sg-more", client.Addresses[0])] = nodeconf.Member{Group: "sg-more", Addr: client.Addresses[0]}
		n.apply(t, r)
		probe{"tcp", 80, true}.run(t, client, server)
		delete(n.Members, nodeconf.MemberKey("sg-more", client.Addresses[0]))
		n.apply(t, r)
		probe{"tcp", 81, false}.run(t, client, server)
	})
	t.Run("two groups", func(t *testing.T) {
		n.group("vpc-1", "sg-more", allow(6, 443, 443, anywhere))
		i := n.Interfaces["eni-server"]
		i.Groups = []string{"sg-server", "sg-more"}
		n.Interfaces["eni-server"] = i
		n.group("vpc-1", "sg-server", allow(6, 80, 80, anywhere))
		n.apply(t, r)
		for _, p := range []probe{{"tcp", 80, true}, {"tcp", 443, true}, {"tcp", 81, false}} {
			p.run(t, client, server)
		}
	})
	t.Run("out", func(t *testing.T) {
		n.Groups["sg-client"] = nodeconf.Group{ID: "sg-client", VPC: "vpc-1", Egress: []nodeconf.Allow{allow(6, 443, 443, "10.0.2.0/24")}}
		n.apply(t, r)
		for _, p := range []probe{{"tcp", 80, false}, {"tcp", 443, true}} {
			p.run(t, client, server)
		}
	})
}

func TestPing(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.group("vpc-1", "sg-closed")
	n.Groups["sg-closed"] = nodeconf.Group{ID: "sg-closed", VPC: "vpc-1"}
	n.group("vpc-1", "sg-echo", allow(1, 8, -1, anywhere))
	n.group("vpc-1", "sg-stamp", allow(1, 13, 0, anywhere))
	n.iface("eni-client", "vpc-1a")
	n.iface("eni-echo", "vpc-1b", "sg-echo")
	n.iface("eni-stamp", "vpc-1b", "sg-stamp")
	n.iface("eni-closed", "vpc-1a", "sg-closed")
	n.apply(t, r)
	client := wait(t, r, "eni-client")
	for id, want := range map[string]bool{"eni-echo": true, "eni-stamp": false, "eni-closed": false} {
		if got := ping(t, client, wait(t, r, id).Addresses[0], want); got != want {
			t.Errorf("ping %s: %t", id, got)
		}
	}
	for _, id := range []string{"eni-client", "eni-closed"} { // the gateway answers whatever groups say
		e := wait(t, r, id)
		if !ping(t, e, e.Gateway, true) {
			t.Errorf("from %s: the gateway does not answer", id)
		}
	}
}

func TestNetworkACLs(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-client", "vpc-1a")
	n.iface("eni-near", "vpc-1a")
	n.iface("eni-far", "vpc-1b")
	n.apply(t, r)
	client, near, far := wait(t, r, "eni-client"), wait(t, r, "eni-near"), wait(t, r, "eni-far")
	for _, e := range []Endpoint{near, far} {
		for _, port := range []int{80, 81} {
			spacetest.Space(e.Netns).Serve(t, "tcp", fmt.Sprintf(":%d", port), e.ID)
			spacetest.Space(e.Netns).Serve(t, "udp", fmt.Sprintf(":%d", port), e.ID)
		}
	}
	entry := func(proto, from, to int32, cidr string, ok bool) nodeconf.Entry {
		return nodeconf.Entry{Match: nodeconf.Match{Protocol: proto, From: from, To: to}, CIDR: netip.MustParsePrefix(cidr), Allow: ok}
	}
	all := []nodeconf.Entry{entry(-1, -1, -1, anywhere, true)}
	back := entry(6, 1024, 65535, anywhere, true)
	tests := []struct {
		name    string
		in, out []nodeconf.Entry // of the far subnet
		probes  []probe
	}{
		{"nothing", nil, nil, []probe{{"tcp", 80, false}, {"udp", 80, false}}},
		{"no way back", all, nil, []probe{{"tcp", 80, false}}},
		{"no way in", nil, all, []probe{{"tcp", 80, false}}},
		{"everything", all, all, []probe{{"tcp", 80, true}, {"udp", 80, true}}},
		{"a port and its answers", []nodeconf.Entry{entry(6, 80, 80, "10.0.1.0/24", true)}, []nodeconf.Entry{back}, []probe{{"tcp", 80, true}, {"tcp", 81, false}, {"udp", 80, false}}},
		{"a port without its answers", []nodeconf.Entry{entry(6, 80, 80, anywhere, true)}, []nodeconf.Entry{entry(6, 80, 80, anywhere, true)}, []probe{{"tcp", 80, false}}},
		{"denied before it is allowed", []nodeconf.Entry{entry(6, 80, 80, anywhere, false), all[0]}, all, []probe{{"tcp", 80, false}, {"tcp", 81, true}}},
		{"allowed before it is denied", []nodeconf.Entry{entry(6, 80, 80, anywhere, true), entry(6, 80, 81, anywhere, false), all[0]}, all, []probe{{"tcp", 80, true}, {"tcp", 81, false}, {"udp", 81, true}}},
		{"another source", []nodeconf.Entry{entry(-1, -1, -1, "10.0.1.0/32", true)}, all, []probe{{"tcp", 80, false}}},
	}
	s := n.Subnets["vpc-1b"]
	s.ACL = "acl-b"
	n.Subnets["vpc-1b"] = s
	for _, test := range tests {
		n.ACLs["acl-b"] = nodeconf.ACL{ID: "acl-b", VPC: "vpc-1", Ingress: test.in, Egress: test.out}
		n.apply(t, r)
		t.Run(test.name, func(t *testing.T) {
			for _, p := range test.probes {
				p.run(t, client, far)
			}
			probe{"tcp", 80, true}.run(t, client, near)
			if !ping(t, far, far.Gateway, true) {
				t.Error("the gateway does not answer")
			}
		})
	}
	t.Run("not inside of a subnet", func(t *testing.T) {
		n.ACLs["acl-a"] = nodeconf.ACL{ID: "acl-a", VPC: "vpc-1"}
		a := n.Subnets["vpc-1a"]
		a.ACL = "acl-a"
		n.Subnets["vpc-1a"] = a
		n.ACLs["acl-b"] = nodeconf.ACL{ID: "acl-b", VPC: "vpc-1", Ingress: all, Egress: all}
		n.apply(t, r)
		probe{"tcp", 81, true}.run(t, client, near)
		probe{"tcp", 81, false}.run(t, client, far)
	})
}
