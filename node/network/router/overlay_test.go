package router

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/node/network/router/inner"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/nodeconf"
)

// overlays runs a test on an underlay of either kind.
func overlays(t *testing.T, mtu int, f func(t *testing.T, u *underlay)) {
	t.Helper()
	for _, six := range []bool{false, true} {
		t.Run(map[bool]string{false: "IPv4", true: "IPv6"}[six], func(t *testing.T) {
			t.Parallel()
			f(t, newUnderlay(t, mtu, six))
		})
	}
}

// A VPC is one network, wherever its interfaces are: groups decide as on one machine, and VPCs share nothing.
func TestVPCSpansNodes(t *testing.T) {
	t.Parallel()
	overlays(t, 9051, func(t *testing.T, u *underlay) {
		t.Helper()
		a, b := u.node(t), u.node(t)
		n := newNet("vpc-1", "10.0.0.0/16")
		n.addVPC("vpc-2", "10.0.0.0/16")
		f := newFleet(n, a, b)
		n.group("vpc-1", "sg-web", allow(6, 80, 80, "sg-vpc-1"), allow(1, -1, -1, anywhere))
		f.place(a, "eni-client", "vpc-1a")
		f.place(b, "eni-web", "vpc-1b", "sg-web")
		f.place(b, "eni-stranger", "vpc-1b", "sg-web")
		f.place(a, "eni-client2", "vpc-2a")
		twin := f.place(b, "eni-twin", "vpc-2b")
		twin.Addresses = n.Interfaces["eni-web"].Addresses
		n.Interfaces["eni-twin"] = twin
		f.apply(t)
		client, web, client2 := f.wait(t, "eni-client"), f.wait(t, "eni-web"), f.wait(t, "eni-client2")
		twinE, stranger := f.wait(t, "eni-twin"), f.wait(t, "eni-stranger")
		for _, e := range []Endpoint{web, twinE} {
			spacetest.Space(e.Netns).Serve(t, "tcp", ":80", e.ID)
			spacetest.Space(e.Netns).Serve(t, "udp", ":53", e.ID)
		}
		if saw := wantAnswer(t, client, "tcp", at(web, 80), "eni-web"); saw != client.Addresses[0].String() {
			t.Errorf("the server saw %s, want %s", saw, client.Addresses[0])
		}
		wantAnswer(t, client2, "tcp", at(web, 80), "eni-twin") // the same address, another VPC
		wantAnswer(t, client2, "udp", at(web, 53), "eni-twin")
		wantSilence(t, client, "udp", at(web, 53))   // not let in
		wantSilence(t, stranger, "tcp", at(web, 80)) // no member of the group that is let in, on the same node
		if !ping(t, client, web.Addresses[0], true) {
			t.Error("no echo")
		}
		spacetest.Space(client.Netns).Serve(t, "tcp", ":80", client.ID)
		wantAnswer(t, web, "tcp", at(client, 80), "eni-client") // the other way

		// What the sender's groups do not let out stays there; what the receiver's do not let in is dropped there.
		g := n.Groups["sg-vpc-1"]
		g.Egress = nil
		n.Groups["sg-vpc-1"] = g
		f.apply(t)
		wantSilence(t, client, "tcp", at(web, 80))
		n.group("vpc-1", "sg-vpc-1", allow(-1, -1, -1, anywhere))
		n.group("vpc-1", "sg-web")
		f.apply(t)
		wantSilence(t, client, "tcp", at(web, 80))
		n.group("vpc-1", "sg-web", allow(17, 53, 53, client.Addresses[0].String()+"/32"))
		f.apply(t)
		wantAnswer(t, client, "udp", at(web, 53), "eni-web")
	})
}

func TestNetworkACLsAcrossNodes(t *testing.T) {
	t.Parallel()
	u := newUnderlay(t, 1500, false)
	a, b := u.node(t), u.node(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	f := newFleet(n, a, b)
	f.place(a, "eni-client", "vpc-1a")
	f.place(b, "eni-server", "vpc-1b")
	f.apply(t)
	client, server := f.wait(t, "eni-client"), f.wait(t, "eni-server")
	spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
	wantAnswer(t, client, "tcp", at(server, 80), server.ID)
	everything := n.ACLs["acl-vpc-1"].Ingress
	shut := nodeconf.Entry{Number: 1, Match: nodeconf.Match{Protocol: 6, From: 80, To: 80}, CIDR: netip.MustParsePrefix(anywhere)}
	for what, acl := range map[string]nodeconf.ACL{
		"out of the sender's subnet":   {ID: "acl-x", VPC: "vpc-1", Egress: append([]nodeconf.Entry{shut}, everything...), Ingress: everything},
		"into the receiver's subnet":   {ID: "acl-x", VPC: "vpc-1", Ingress: append([]nodeconf.Entry{shut}, everything...), Egress: everything},
		"of answers: it is stateless ": {ID: "acl-x", VPC: "vpc-1", Ingress: everything},
	} {
		n.ACLs["acl-x"] = acl
		id := map[bool]string{true: "vpc-1a", false: "vpc-1b"}[what == "out of the sender's subnet"]
		s := n.Subnets[id]
		s.ACL = "acl-x"
		n.Subnets[id] = s
		f.apply(t)
		if got, _, err := spacetest.Ask(client.Netns, "tcp", at(server, 80), moment); err == nil {
			t.Errorf("%s: %q answered", what, got)
		}
		s.ACL = "acl-vpc-1"
		n.Subnets[id] = s
		f.apply(t)
		wantAnswer(t, client, "tcp", at(server, 80), server.ID)
	}
}

// Nodes that join, move and leave are followed, while others' flows go on.
func TestNodesComeAndGo(t *testing.T) {
	t.Parallel()
	overlays(t, 1500, func(t *testing.T, u *underlay) {
		t.Helper()
		a, b := u.node(t), u.node(t)
		n := newNet("vpc-1", "10.0.0.0/16")
		f := newFleet(n, a, b)
		f.place(a, "eni-client", "vpc-1a")
		f.apply(t)
		client := f.wait(t, "eni-client")
		if links(t, a) != 0 || guarded(t, a) {
			t.Error("a node alone has an overlay")
		}
		wantSegments(t, client, inner.LargeSegments)
		f.place(b, "eni-steady", "vpc-1b")
		f.apply(t)
		steady := f.wait(t, "eni-steady")
		wantSegments(t, client, inner.PlainSegments) // more does not fit into VXLAN at once
		wantSegments(t, steady, inner.PlainSegments)
		echo(t, steady, 7)
		flow := startStream(t, client, at(steady, 7))

		c := u.node(t)
		f.nodes = append(f.nodes, c)
		f.place(c, "eni-moves", "vpc-1b")
		f.apply(t)
		moves := f.wait(t, "eni-moves")
		spacetest.Space(moves.Netns).Serve(t, "tcp", ":80", moves.ID)
		wantAnswer(t, client, "tcp", at(moves, 80), moves.ID)

		c.addr = u.address(77) // its address changes, and its process starts anew
		c.assign(t, c.addr)
		cfg := c.r.cfg
		cfg.Address = c.addr
		_ = c.r.Close()
		c.open(t, cfg)
		f.apply(t)
		wantAnswer(t, client, "tcp", at(moves, 80), moves.ID)

		delete(n.Interfaces, "eni-moves") // it is gone, and so is what it had
		f.nodes = f.nodes[:2]
		f.apply(t)
		began := time.Now()
		if _, _, err := spacetest.Ask(client.Netns, "tcp", at(moves, 80), patience); err == nil || time.Since(began) >= patience {
			t.Errorf("an address that nobody has: %v after %s", err, time.Since(began))
		}
		flow.end(t)

		delete(n.Interfaces, "eni-steady")
		f.apply(t)
		if links(t, a) != 0 || guarded(t, a) {
			t.Error("a node that is alone again has an overlay")
		}
		wantSegments(t, client, inner.LargeSegments)
	})
}

// wantSegments looks at how much an interface takes at once, on a kernel that can be told.
func wantSegments(t *testing.T, e Endpoint, size int) {
	t.Helper()
	_, eth0, done, err := inner.Enter(e.Netns)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if got := int(eth0.Attrs().GSOIPv4MaxSize); got != size && got != 0 {
		t.Errorf("%s takes %d bytes at once, want %d", e.ID, got, size)
	}
}

// overlayLink is the device of a node's vpc-1.
func overlayLink(t *testing.T, n *node) netlink.Link {
	t.Helper()
	l, err := n.r.vpcs["vpc-1"].nl.LinkByName(rules.Overlay)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// links is how many VXLAN devices the routers of a node have.
func links(t *testing.T, n *node) (count int) {
	t.Helper()
	for _, v := range n.r.vpcs {
		list, err := v.nl.LinkList()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			if l.Type() == "vxlan" {
				count++
			}
		}
	}
	return count
}

func TestOverlaySurvivesRestarts(t *testing.T) {
	t.Parallel()
	overlays(t, 1500, func(t *testing.T, u *underlay) {
		t.Helper()
		a, b := u.node(t), u.node(t)
		n := newNet("vpc-1", "10.0.0.0/16")
		n.addVPC("vpc-2", "10.0.0.0/16")
		f := newFleet(n, a, b)
		f.place(a, "eni-client", "vpc-1a")
		f.place(b, "eni-server", "vpc-1b")
		f.place(a, "eni-client2", "vpc-2a")
		f.place(b, "eni-server2", "vpc-2b")
		f.apply(t)
		var flows []*stream
		for _, pair := range [][2]string{{"eni-client", "eni-server"}, {"eni-client2", "eni-server2"}} {
			to := f.wait(t, pair[1])
			echo(t, to, 7)
			flows = append(flows, startStream(t, f.wait(t, pair[0]), at(to, 7)))
		}
		for range 2 {
			for _, x := range f.nodes {
				_ = x.r.Close()
				x.open(t, x.r.cfg)
				f.applyTo(t, x)
			}
		}
		for _, s := range flows {
			s.end(t)
		}
		// What an earlier process left behind and nobody wants any more goes.
		v := a.r.vpcs["vpc-1"]
		stray := &netlink.Neigh{
			LinkIndex: overlayLink(t, a).Attrs().Index, Family: unix.AF_BRIDGE, State: netlink.NUD_PERMANENT, Flags: netlink.NTF_SELF,
			IP: u.address(200).AsSlice(), HardwareAddr: rules.NodeMAC(u.address(200)),
		}
		if err := v.nl.NeighSet(stray); err != nil {
			t.Fatal(err)
		}
		_ = a.r.Close()
		a.open(t, a.r.cfg)
		f.applyTo(t, a)
		v = a.r.vpcs["vpc-1"]
		known, err := v.nl.NeighList(overlayLink(t, a).Attrs().Index, unix.AF_BRIDGE)
		if err != nil || len(known) != 1 || !known[0].IP.Equal(b.addr.AsSlice()) {
			t.Errorf("it knows %v, %v", known, err)
		}
	})
}

// What an interface takes and the way between nodes does not is told to the task, which sends less.
func TestTooBigForTheWayBetweenNodes(t *testing.T) {
	t.Parallel()
	overlays(t, 1500, func(t *testing.T, u *underlay) {
		t.Helper()
		a, b := u.node(t), u.node(t)
		f := newFleet(newNet("vpc-1", "10.0.0.0/16"), a, b)
		f.place(a, "eni-client", "vpc-1a")
		f.place(b, "eni-server", "vpc-1b")
		f.apply(t)
		over := map[bool]int{false: 50, true: 70}[u.six]
		if got := overlayLink(t, a).Attrs().MTU; got != 1500-over {
			t.Errorf("the overlay takes %d, want %d", got, 1500-over)
		}
		client, server := f.wait(t, "eni-client"), f.wait(t, "eni-server")
		spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
		wantTransfer(t, client, at(server, 80), 1<<20)

		// A way that is narrower than the machine's link has to be said.
		for _, x := range f.nodes {
			c := x.r.cfg
			c.AddressMTU = 1400
			_ = x.r.Close()
			x.open(t, c)
		}
		f.apply(t)
		if got := overlayLink(t, a).Attrs().MTU; got != 1400-over {
			t.Errorf("the overlay takes %d, want %d", got, 1400-over)
		}
		wantTransfer(t, client, at(server, 80), 1<<20)
	})
}

// wantTransfer sends to an echo, and waits for all of it.
func wantTransfer(t *testing.T, from Endpoint, addr string, size int) {
	t.Helper()
	wantTransferWithin(t, from, addr, size, patience)
}

func wantTransferWithin(t *testing.T, from Endpoint, addr string, size int, d time.Duration) {
	t.Helper()
	spacetest.In(t, from.Netns, func() error {
		c, err := net.DialTimeout("tcp4", addr, patience)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(d))
		go func() { _, _ = c.Write(make([]byte, size)) }()
		if n, err := io.CopyN(io.Discard, c, int64(size)); err != nil {
			return fmt.Errorf("after %d bytes: %w", n, err)
		}
		return nil
	})
}
