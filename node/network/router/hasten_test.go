package router

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/nodeconf"
)

// conversation is a connection to a server that says again what it is told.
type conversation struct {
	t *testing.T
	c *net.TCPConn
}

func converse(t *testing.T, from Endpoint, addr string) *conversation {
	t.Helper()
	var c net.Conn
	spacetest.In(t, from.Netns, func() (err error) {
		c, err = net.DialTimeout("tcp4", addr, patience)
		return err
	})
	t.Cleanup(func() { _ = c.Close() })
	return &conversation{t, c.(*net.TCPConn)}
}

func (v *conversation) say(word string) error { return v.sayWithin(word, moment) }

func (v *conversation) sayWithin(word string, d time.Duration) error {
	_ = v.c.SetDeadline(time.Now().Add(d))
	if _, err := fmt.Fprintln(v.c, word); err != nil {
		return err
	}
	b := make([]byte, 128)
	for text := ""; !strings.Contains(text, word); {
		k, err := v.c.Read(b)
		if err != nil {
			return err
		}
		text += string(b[:k])
	}
	return nil
}

// goes wants an answer, however long the kernel waits before it sends again what was lost.
func (v *conversation) goes(words ...string) {
	v.t.Helper()
	for _, w := range words {
		if err := v.sayWithin(w, 4*patience); err != nil {
			v.t.Fatalf("%s: %v", w, err)
		}
	}
}

func (v *conversation) silent(word string) {
	v.t.Helper()
	if v.say(word) == nil {
		v.t.Fatalf("%s: the connection goes on", word)
	}
}

// hops sets how many routers what is said may pass.
func (v *conversation) hops(n int) {
	v.t.Helper()
	raw, err := v.c.SyscallConn()
	if err != nil {
		v.t.Fatal(err)
	}
	if e := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, n) }); e != nil || err != nil {
		v.t.Fatal(e, err)
	}
}

func words(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("word%d.", i))
	}
	return out
}

// shutACL lets nothing through, for a subnet that is given it.
func (n *net4) shutACL(subnet string, shut bool) {
	n.ACLs["acl-shut"] = nodeconf.ACL{ID: "acl-shut", VPC: n.Subnets[subnet].VPC}
	s := n.Subnets[subnet]
	s.ACL = map[bool]string{true: "acl-shut", false: "acl-" + s.VPC}[shut]
	n.Subnets[subnet] = s
}

func needLanes(t *testing.T, r *Routers) {
	t.Helper()
	if r.lanes == nil {
		t.Skip("this kernel has no short cuts")
	}
}

// sent is how many packets a router sent by its link of an interface.
func sent(t *testing.T, r *Routers, e Endpoint) uint64 {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.vpcs[e.VPC]
	l, err := v.nl.LinkByName(v.ports[e.ID].link.Attrs().Name)
	if err != nil {
		t.Fatal(err)
	}
	return l.Attrs().Statistics.TxPackets
}

// A connection that is known passes its router by a short cut, and everything that a change decides is so for it at once.
func TestShortCuts(t *testing.T) {
	t.Parallel()
	r := open(t)
	needLanes(t, r)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-client", "vpc-1a")
	n.iface("eni-server", "vpc-1b")
	n.apply(t, r)
	client, server := wait(t, r, "eni-client"), wait(t, r, "eni-server")
	spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
	talk := converse(t, client, at(server, 80))
	before := sent(t, r, server)
	talk.goes(words(200)...)
	if n := sent(t, r, server) - before; n > 100 {
		t.Errorf("the router sent %d packets of about 200", n)
	}
	// What nobody saw the acknowledgement of is no reason to forget the connection.
	list, err := r.vpcs["vpc-1"].nl.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Forward.DstPort == 80 && f.TimeOut < 400_000 {
			t.Errorf("the connection is forgotten in %d s", f.TimeOut)
		}
	}
	talk.hops(1)
	talk.silent("a packet that may pass no router does")
	talk.hops(64)
	talk.goes("it passes one again")
	n.shutACL("vpc-1b", true)
	n.apply(t, r)
	talk.silent("the ACL lets nothing in")
	n.shutACL("vpc-1b", false)
	n.apply(t, r)
	talk.goes(words(20)...)

	// Another process goes on with them.
	_ = r.Close()
	r = openWith(t, r.cfg)
	n.apply(t, r)
	talk.goes(words(20)...)
	n.shutACL("vpc-1b", true)
	n.apply(t, r)
	talk.silent("the ACL lets nothing in, by another process")
	n.shutACL("vpc-1b", false)
	n.apply(t, r)
	talk.goes("once more")

	delete(n.Interfaces, "eni-client")
	n.apply(t, r)
	talk.silent("the interface is gone")
}

// What a router translates takes no short cut: the packet that leaves is not the one that came.
func TestNoShortCutForPublicAddresses(t *testing.T) {
	t.Parallel()
	r := open(t)
	needLanes(t, r)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-client", "vpc-1a")
	n.iface("eni-server", "vpc-1b")
	n.public("eni-client", pool(r, 1))
	n.public("eni-server", pool(r, 2))
	n.apply(t, r)
	client, server := wait(t, r, "eni-client"), wait(t, r, "eni-server")
	spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
	talk := converse(t, client, netip.AddrPortFrom(pool(r, 2), 80).String())
	talk.goes(words(20)...)
	if n := r.lanes.Count(); n > 0 {
		t.Errorf("%d short cuts", n)
	}
}

// Between nodes it is as on one.
func TestShortCutsAcrossNodes(t *testing.T) {
	t.Parallel()
	u := newUnderlay(t, 1500, false)
	a, b, c := u.node(t), u.node(t), u.node(t)
	needLanes(t, a.r)
	n := newNet("vpc-1", "10.0.0.0/16")
	f := newFleet(n, a, b, c)
	f.place(a, "eni-client", "vpc-1a")
	f.place(b, "eni-server", "vpc-1b")
	f.apply(t)
	client, server := f.wait(t, "eni-client"), f.wait(t, "eni-server")
	spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
	talk := converse(t, client, at(server, 80))
	before := sent(t, b.r, server)
	talk.goes(words(200)...)
	if n := sent(t, b.r, server) - before; n > 100 {
		t.Errorf("the server's router sent %d packets of about 200", n)
	}
	if a.r.lanes.Count() == 0 || b.r.lanes.Count() == 0 {
		t.Error("one of the routers has no short cuts")
	}
	n.shutACL("vpc-1b", true)
	f.apply(t)
	talk.silent("the ACL lets nothing in")
	n.shutACL("vpc-1b", false)
	f.apply(t)
	talk.goes(strings.Repeat("more than fits into a packet ", 200), "and again")
}
