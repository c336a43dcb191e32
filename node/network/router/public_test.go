package router

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/nodeconf"
)

// pool is the n-th address of the test's public addresses.
func pool(r *Routers, n int) netip.Addr {
	a := r.cfg.PublicPool.Addr()
	for range n {
		a = a.Next()
	}
	return a
}

// lan is a namespace that plays a machine on the host's network: the host is its router.
func lan(t *testing.T, r *Routers) (e Endpoint, host netip.Addr) {
	t.Helper()
	ns, err := netspace.New(func(netns.NsHandle) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	b := r.cfg.PublicPool.Addr().As4()
	host, own := netip.AddrFrom4([4]byte{10, 215, b[2], b[3] + 1}), netip.AddrFrom4([4]byte{10, 215, b[2], b[3] + 2})
	name := r.cfg.Name + "lan"
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name, TxQLen: -1}, PeerName: "eth0", PeerNamespace: netlink.NsFd(ns)}
	if err := netlink.LinkAdd(veth); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(veth); _ = ns.Close() })
	if err := errors.Join(netlink.AddrAdd(veth, &netlink.Addr{IPNet: netspace.IPNet(netip.PrefixFrom(host, 28))}), netlink.LinkSetUp(veth)); err != nil {
		t.Fatal(err)
	}
	e = Endpoint{ID: "lan", Netns: fmt.Sprintf("/proc/self/fd/%d", int(ns)), Addresses: []netip.Addr{own}}
	spacetest.In(t, e.Netns, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return errors.Join(
			netlink.AddrAdd(link, &netlink.Addr{IPNet: netspace.IPNet(netip.PrefixFrom(own, 28))}), netlink.LinkSetUp(link),
			netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: host.AsSlice()}))
	})
	if err := netspace.AwaitCarrier(r.nl, name); err != nil {
		t.Fatal(err)
	}
	return e, host
}

var theMachine = Endpoint{ID: "the machine"}

func public(a netip.Addr, port uint16) string { return netip.AddrPortFrom(a, port).String() }

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.addVPC("vpc-2", "10.0.0.0/16") // the same range
	n.iface("eni-web", "vpc-1a")
	n.iface("eni-friend", "vpc-1b")
	n.iface("eni-private", "vpc-1b")
	n.serial = 0
	n.iface("eni-stranger", "vpc-2a") // and the address of eni-web
	n.public("eni-web", pool(r, 1))
	n.public("eni-friend", pool(r, 2))
	n.public("eni-stranger", pool(r, 3))
	n.apply(t, r)
	web, friend, private, stranger := wait(t, r, "eni-web"), wait(t, r, "eni-friend"), wait(t, r, "eni-private"), wait(t, r, "eni-stranger")
	if web.Addresses[0] != stranger.Addresses[0] {
		t.Fatal("the addresses should be the same")
	}
	outside, _ := lan(t, r)
	for _, e := range []Endpoint{web, stranger, outside} {
		spacetest.Space(e.Netns).Serve(t, "tcp", ":80", e.ID)
		spacetest.Space(e.Netns).Serve(t, "udp", ":80", e.ID)
	}
	saw := func(e Endpoint, addr, name, want string) {
		t.Helper()
		for _, proto := range []string{"tcp", "udp"} {
			if got := wantAnswer(t, e, proto, addr, name); got != want {
				t.Errorf("%s, %s %s: %s saw %s, want %s", e.ID, proto, addr, name, got, want)
			}
		}
	}
	saw(theMachine, public(pool(r, 1), 80), web.ID, "169.254.64.1")
	saw(theMachine, public(pool(r, 3), 80), stranger.ID, "169.254.64.1")
	saw(friend, public(pool(r, 1), 80), web.ID, pool(r, 2).String())
	saw(web, public(pool(r, 1), 80), web.ID, pool(r, 1).String())
	saw(web, public(pool(r, 3), 80), stranger.ID, pool(r, 1).String())
	saw(friend, at(web, 80), web.ID, friend.Addresses[0].String())
	wantAnswer(t, web, "tcp", at(outside, 80), outside.ID)
	for _, test := range []struct {
		from Endpoint
		addr string
	}{
		{private, public(pool(r, 1), 80)}, // has no public address
		{private, at(outside, 80)},
		{outside, public(pool(r, 1), 80)},
		{theMachine, at(web, 80)},
		{theMachine, public(pool(r, 9), 80)}, // nobody's
	} {
		wantSilence(t, test.from, "tcp", test.addr)
	}

	n.public("eni-private", pool(r, 1)) // moves
	i := n.Interfaces["eni-web"]
	i.Public = nil
	n.Interfaces["eni-web"] = i
	n.apply(t, r)
	spacetest.Space(private.Netns).Serve(t, "tcp", ":80", private.ID)
	spacetest.Space(private.Netns).Serve(t, "udp", ":80", private.ID)
	saw(theMachine, public(pool(r, 1), 80), private.ID, "169.254.64.1")
	saw(friend, public(pool(r, 1), 80), private.ID, pool(r, 2).String())
}

// With a pool that others route here they reach public addresses, as far as groups let them, and see them.
func TestPublicAddressesThatAreRouted(t *testing.T) {
	t.Parallel()
	for _, routed := range []bool{true, false} {
		c := testConfig(t)
		c.Routed = routed
		r := openWith(t, c)
		n := newNet("vpc-1", "10.0.0.0/16")
		n.iface("eni-web", "vpc-1a")
		n.public("eni-web", pool(r, 1))
		n.iface("eni-hidden", "vpc-1b")
		n.NATs["nat-1"] = nodeconf.NAT{ID: "nat-1", VPC: "vpc-1", Subnet: "vpc-1a", Private: netip.MustParseAddr("10.0.1.200"), Public: pool(r, 2)}
		n.RouteTables["rtb-private"] = nodeconf.RouteTable{ID: "rtb-private", VPC: "vpc-1", Routes: []nodeconf.Route{
			{Destination: netip.MustParsePrefix(anywhere), Kind: nodeconf.ToNAT, Target: "nat-1"}}}
		s := n.Subnets["vpc-1b"]
		s.RouteTable = "rtb-private"
		n.Subnets["vpc-1b"] = s
		n.apply(t, r)
		web, hidden := wait(t, r, "eni-web"), wait(t, r, "eni-hidden")
		outside, host := lan(t, r)
		for _, e := range []Endpoint{web, outside} {
			spacetest.Space(e.Netns).Serve(t, "tcp", ":80", e.ID)
		}
		fromWeb, fromNAT := host, host
		if routed {
			fromWeb, fromNAT = pool(r, 1), pool(r, 2)
		}
		if saw := wantAnswer(t, web, "tcp", at(outside, 80), outside.ID); saw != fromWeb.String() {
			t.Errorf("routed %t: outside saw %s of a public address, want %s", routed, saw, fromWeb)
		}
		if saw := wantAnswer(t, hidden, "tcp", at(outside, 80), outside.ID); saw != fromNAT.String() {
			t.Errorf("routed %t: outside saw %s of a NAT gateway, want %s", routed, saw, fromNAT)
		}
		if routed {
			if saw := wantAnswer(t, outside, "tcp", public(pool(r, 1), 80), web.ID); saw != outside.Addresses[0].String() {
				t.Errorf("%s was seen as %s", outside.Addresses[0], saw)
			}
		} else {
			wantSilence(t, outside, "tcp", public(pool(r, 1), 80))
		}
		for _, a := range []netip.Addr{pool(r, 2), pool(r, 9), netip.MustParseAddr("169.254.64.1")} { // the gateway's, nobody's, the edge's
			wantSilence(t, outside, "tcp", public(a, 80))
		}
	}
}

func TestWhatATaskCannotReach(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-task", "vpc-1a")
	n.public("eni-task", pool(r, 1))
	n.apply(t, r)
	task := wait(t, r, "eni-task")
	_, host := lan(t, r)
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go spacetest.AnswerConnections(l, "machine")
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	wantAnswer(t, theMachine, "tcp", public(host, port), "machine")
	for _, to := range []string{host.String(), "169.254.64.1", "169.254.169.254", "169.254.170.2", pool(r, 2).String(), "127.0.0.2", "10.0.1.1"} {
		wantSilence(t, task, "tcp", public(netip.MustParseAddr(to), port))
	}
	// The guard is what keeps it out: without it the machine is there.
	conn, err := dialHere()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseLasting() }()
	conn.FlushChain(&nftables.Chain{Table: &nftables.Table{Name: r.cfg.table(), Family: nftables.TableFamilyIPv4}, Name: "input"})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, task, "tcp", public(host, port), "machine")
}

func TestNATGateway(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-hidden", "vpc-1b")
	n.iface("eni-second", "vpc-1b")
	n.iface("eni-web", "vpc-1a")
	n.public("eni-web", pool(r, 1))
	n.NATs["nat-1"] = nodeconf.NAT{ID: "nat-1", VPC: "vpc-1", Subnet: "vpc-1a", Private: netip.MustParseAddr("10.0.1.200"), Public: pool(r, 2)}
	n.RouteTables["rtb-private"] = nodeconf.RouteTable{ID: "rtb-private", VPC: "vpc-1", Routes: []nodeconf.Route{
		{Destination: netip.MustParsePrefix(anywhere), Kind: nodeconf.ToNAT, Target: "nat-1"}}}
	s := n.Subnets["vpc-1b"]
	s.RouteTable = "rtb-private"
	n.Subnets["vpc-1b"] = s
	n.apply(t, r)
	outside, host := lan(t, r)
	hidden, second, web := wait(t, r, "eni-hidden"), wait(t, r, "eni-second"), wait(t, r, "eni-web")
	spacetest.Space(outside.Netns).Serve(t, "tcp", ":80", outside.ID)
	spacetest.Space(web.Netns).Serve(t, "tcp", ":80", web.ID)
	if saw := wantAnswer(t, hidden, "tcp", at(outside, 80), outside.ID); saw != host.String() {
		t.Errorf("outside saw %s, want the machine's %s", saw, host)
	}
	if saw := wantAnswer(t, hidden, "tcp", public(pool(r, 1), 80), web.ID); saw != pool(r, 2).String() {
		t.Errorf("web saw %s, want the gateway's address", saw)
	}
	t.Run("ports are translated", func(t *testing.T) {
		for _, e := range []Endpoint{hidden, second} {
			spacetest.In(t, e.Netns, func() error {
				d := net.Dialer{LocalAddr: &net.TCPAddr{Port: 5555}, Timeout: patience}
				c, err := d.Dial("tcp4", public(pool(r, 1), 80))
				if err != nil {
					return err
				}
				t.Cleanup(func() { _ = c.Close() })
				return nil
			})
		}
	})
	wantSilence(t, theMachine, "tcp", public(pool(r, 2), 80))
	t.Run("its subnet's ACL", func(t *testing.T) {
		all := n.ACLs["acl-vpc-1"].Egress
		deny := nodeconf.Entry{Number: 1, Match: nodeconf.Match{Protocol: 6, From: 80, To: 80}, CIDR: netip.PrefixFrom(outside.Addresses[0], 32)}
		n.ACLs["acl-nat"] = nodeconf.ACL{ID: "acl-nat", VPC: "vpc-1", Ingress: all, Egress: append([]nodeconf.Entry{deny}, all...)}
		s := n.Subnets["vpc-1a"]
		s.ACL = "acl-nat"
		n.Subnets["vpc-1a"] = s
		n.apply(t, r)
		wantSilence(t, hidden, "tcp", at(outside, 80))
		deny.From, deny.To = 81, 81
		n.ACLs["acl-nat"] = nodeconf.ACL{ID: "acl-nat", VPC: "vpc-1", Ingress: all, Egress: append([]nodeconf.Entry{deny}, all...)}
		n.apply(t, r)
		wantAnswer(t, hidden, "tcp", at(outside, 80), outside.ID)
		n.ACLs["acl-nat"] = nodeconf.ACL{ID: "acl-nat", VPC: "vpc-1", Egress: all, Ingress: []nodeconf.Entry{
			{Number: 1, Match: nodeconf.Match{Protocol: -1, From: -1, To: -1}, CIDR: netip.MustParsePrefix("10.0.0.0/16"), Allow: true}}}
		n.apply(t, r)
		wantSilence(t, hidden, "tcp", at(outside, 80)) // the answers do not come in
	})
	t.Run("its subnet's routes", func(t *testing.T) {
		s := n.Subnets["vpc-1a"]
		s.ACL, s.RouteTable = "acl-vpc-1", "rtb-none"
		n.Subnets["vpc-1a"] = s
		n.RouteTables["rtb-none"] = nodeconf.RouteTable{ID: "rtb-none", VPC: "vpc-1"}
		n.apply(t, r)
		wantSilence(t, hidden, "tcp", at(outside, 80))
	})
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-task", "vpc-1a")
	n.public("eni-task", pool(r, 1))
	n.iface("eni-other", "vpc-1b")
	n.apply(t, r)
	outside, _ := lan(t, r)
	task, other := wait(t, r, "eni-task"), wait(t, r, "eni-other")
	spacetest.Space(outside.Netns).Serve(t, "tcp", ":80", outside.ID)
	spacetest.Space(other.Netns).Serve(t, "tcp", ":80", other.ID)
	near := netip.PrefixFrom(outside.Addresses[0], 24).Masked()
	tests := []struct {
		name   string
		routes []nodeconf.Route
		ok     bool
	}{
		{"none", nil, false},
		{"the internet", []nodeconf.Route{{Destination: netip.MustParsePrefix(anywhere), Kind: nodeconf.ToInternet}}, true},
		{"a longer black hole", []nodeconf.Route{{Destination: netip.MustParsePrefix(anywhere), Kind: nodeconf.ToInternet}, {Destination: near, Kind: nodeconf.Blackhole}}, false},
		{"a longer way out", []nodeconf.Route{{Destination: netip.MustParsePrefix(anywhere), Kind: nodeconf.Blackhole}, {Destination: near, Kind: nodeconf.ToInternet}}, true},
		{"a gateway that is gone", []nodeconf.Route{{Destination: near, Kind: nodeconf.ToNAT, Target: "nat-none"}}, false},
		{"elsewhere", []nodeconf.Route{{Destination: netip.MustParsePrefix("8.0.0.0/8"), Kind: nodeconf.ToInternet}}, false},
		{"a range of the VPC", []nodeconf.Route{{Destination: netip.MustParsePrefix("10.0.0.0/8"), Kind: nodeconf.Blackhole}}, false},
	}
	for _, test := range tests {
		n.RouteTables["rtb-vpc-1"] = nodeconf.RouteTable{ID: "rtb-vpc-1", VPC: "vpc-1", Routes: test.routes}
		n.apply(t, r)
		t.Run(test.name, func(t *testing.T) {
			if test.ok {
				wantAnswer(t, task, "tcp", at(outside, 80), outside.ID)
			} else {
				wantSilence(t, task, "tcp", at(outside, 80))
			}
			wantAnswer(t, task, "tcp", at(other, 80), other.ID) // local wins
		})
	}
}

// A NAT instance: an interface without a source check to which a route leads.
func TestRouteToAnInterface(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-task", "vpc-1b")
	relay := n.iface("eni-relay", "vpc-1a")
	relay.SourceCheck = false
	n.Interfaces["eni-relay"] = relay
	n.RouteTables["rtb-b"] = nodeconf.RouteTable{ID: "rtb-b", VPC: "vpc-1", Routes: []nodeconf.Route{
		{Destination: netip.MustParsePrefix("203.0.113.0/24"), Kind: nodeconf.ToInterface, Target: "eni-relay"}}}
	s := n.Subnets["vpc-1b"]
	s.RouteTable = "rtb-b"
	n.Subnets["vpc-1b"] = s
	n.apply(t, r)
	task, target := wait(t, r, "eni-task"), wait(t, r, "eni-relay")
	far := netip.MustParseAddr("203.0.113.7")
	spacetest.In(t, target.Netns, func() error { // the relay plays the destination
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		return netlink.AddrAdd(lo, &netlink.Addr{IPNet: netspace.Single(far)})
	})
	spacetest.Space(target.Netns).Serve(t, "tcp", ":80", target.ID)
	wantAnswer(t, task, "tcp", public(far, 80), target.ID)
	relay.SourceCheck = true
	n.Interfaces["eni-relay"] = relay
	n.apply(t, r)
	wantSilence(t, task, "tcp", public(far, 80))
	relay.SourceCheck = false
	n.Interfaces["eni-relay"] = relay
	n.apply(t, r)
	wantAnswer(t, task, "tcp", public(far, 80), target.ID)
	delete(n.Interfaces, "eni-relay")
	n.apply(t, r)
	wantSilence(t, task, "tcp", public(far, 80))
}

// The resolver and metadata are reached whatever groups and ACLs say, by the VPC's own interfaces.
func TestListen(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.addVPC("vpc-2", "10.0.0.0/16")
	n.Groups["sg-closed"] = nodeconf.Group{ID: "sg-closed", VPC: "vpc-1"}
	n.iface("eni-task", "vpc-1a", "sg-closed")
	n.iface("eni-other", "vpc-2a")
	n.ACLs["acl-vpc-1"] = nodeconf.ACL{ID: "acl-vpc-1", VPC: "vpc-1"}
	n.apply(t, r)
	task, other := wait(t, r, "eni-task"), wait(t, r, "eni-other")
	for _, addr := range []string{"169.254.170.2:80", "10.0.0.2:53", "169.254.169.253:53"} {
		l, err := r.Listen(t.Context(), "vpc-1", "tcp4", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		go spacetest.AnswerConnections(l, "router")
		p, err := r.ListenPacket(t.Context(), "vpc-1", "udp4", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		go spacetest.AnswerPackets(p, "router")
		for _, proto := range []string{"tcp", "udp"} {
			if saw := wantAnswer(t, task, proto, addr, "router"); saw != task.Addresses[0].String() {
				t.Errorf("%s %s saw %s", proto, addr, saw)
			}
			wantSilence(t, other, proto, addr)
		}
	}
	if _, err := r.Listen(t.Context(), "vpc-9", "tcp4", "169.254.170.2:80"); err == nil {
		t.Error("listening in a VPC that is not here works")
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.apply(t, r)
	got := make(chan error, 1)
	go func() {
		e, err := r.Wait(t.Context(), "eni-late")
		if err == nil && !netspace.Mounted(e.Netns) {
			err = errors.New("not mounted")
		}
		got <- err
	}()
	short, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := r.Wait(short, "eni-never"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an interface that never comes: %v", err)
	}
	n.iface("eni-late", "vpc-1a")
	n.apply(t, r)
	if err := <-got; err != nil {
		t.Error(err)
	}
	bad := n.iface("eni-bad", "vpc-1a")
	bad.MAC = "no"
	n.Interfaces["eni-bad"] = bad
	n.Version++
	report, err := r.ApplyConfig(t.Context(), &n.Config)
	if err != nil || report.Failed["eni-bad"] == nil || len(report.Failed) != 1 {
		t.Errorf("a bad MAC: %v, %v", err, report.Failed)
	}
	short, stop = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := r.Wait(short, "eni-bad"); err == nil || !errors.Is(err, report.Failed["eni-bad"]) {
		t.Errorf("Wait says %v", err)
	}
}
