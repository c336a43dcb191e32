package router

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/test/audit/inventory"
)

// underlay is a network of machines: a namespace for each, and one with a bridge that connects them.
type underlay struct {
	switcher netns.NsHandle
	bridge   netlink.Link
	six      bool
	mtu      int
	n        int
}

func newUnderlay(t testing.TB, mtu int, six bool) *underlay {
	t.Helper()
	needRoot(t)
	u := &underlay{switcher: newSpace(t), six: six, mtu: mtu}
	u.in(t, u.switcher, func(h *netlink.Handle) error {
		u.bridge = &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br", MTU: mtu, TxQLen: -1}}
		if err := h.LinkAdd(u.bridge); err != nil {
			return err
		}
		return h.LinkSetUp(u.bridge)
	})
	return u
}

func newSpace(t testing.TB) netns.NsHandle {
	t.Helper()
	ns, err := netspace.New(func(netns.NsHandle) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	return ns
}

func (u *underlay) in(t testing.TB, ns netns.NsHandle, f func(h *netlink.Handle) error) {
	t.Helper()
	h, err := netlink.NewHandleAt(ns)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := f(h); err != nil {
		t.Fatal(err)
	}
}

// host is a namespace on the underlay.
type host struct {
	u    *underlay
	ns   netns.NsHandle
	addr netip.Addr
	link string
}

func (u *underlay) host(t testing.TB) *host {
	t.Helper()
	u.n++
	h := &host{u: u, ns: newSpace(t), addr: u.address(u.n), link: "u0"}
	u.in(t, u.switcher, func(nl *netlink.Handle) error {
		name := fmt.Sprintf("p%d", u.n)
		err := nl.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: name, MTU: u.mtu, TxQLen: -1, MasterIndex: u.bridge.Attrs().Index},
			PeerName:  h.link, PeerMTU: uint32(u.mtu), PeerNamespace: netlink.NsFd(h.ns),
		})
		if err != nil {
			return err
		}
		l, err := nl.LinkByName(name)
		if err != nil {
			return err
		}
		return nl.LinkSetUp(l)
	})
	h.assign(t, h.addr)
	u.in(t, h.ns, func(nl *netlink.Handle) error {
		lo, err := nl.LinkByName("lo")
		if err != nil {
			return err
		}
		return nl.LinkSetUp(lo)
	})
	return h
}

// address is the n-th of the underlay.
func (u *underlay) address(n int) netip.Addr {
	if u.six {
		return netip.AddrFrom16([16]byte{0xfd, 0x99, 15: byte(n)})
	}
	return netip.AddrFrom4([4]byte{172, 29, 0, byte(n)})
}

// assign gives the host an address, beside those it has.
func (h *host) assign(t testing.TB, a netip.Addr) {
	t.Helper()
	h.u.in(t, h.ns, func(nl *netlink.Handle) error {
		l, err := nl.LinkByName(h.link)
		if err != nil {
			return err
		}
		if err := nl.LinkSetUp(l); err != nil {
			return err
		}
		bits := 24
		if a.Is6() {
			bits = 64
		}
		const noDAD = 0x02
		return nl.AddrReplace(l, &netlink.Addr{IPNet: netspace.IPNet(netip.PrefixFrom(a, bits)), Flags: noDAD})
	})
}

func (h *host) do(t testing.TB, f func() error) {
	t.Helper()
	if err := netspace.Inside(h.ns, f); err != nil {
		t.Fatal(err)
	}
}

// path is where the namespace can be opened.
func (h *host) path() string { return fmt.Sprintf("/proc/self/fd/%d", int(h.ns)) }

// node is a host with routers.
type node struct {
	*host
	r *Routers
}

func (u *underlay) node(t testing.TB) *node {
	t.Helper()
	n := &node{host: u.host(t)}
	c := testConfig(t)
	c.Address = n.addr
	n.open(t, c)
	t.Cleanup(func() {
		_ = n.r.Close()
		n.do(t, func() error { return Remove(context.Background(), n.r.cfg) })
		n.do(t, func() error {
			for _, finding := range inventory.Empty(audit(t, n.r)) {
				t.Error(finding)
			}
			return nil
		})
	})
	return n
}

func (n *node) open(t testing.TB, c Config) {
	t.Helper()
	n.do(t, func() (err error) {
		n.r, err = Open(t.Context(), c)
		return err
	})
}

// fleet is nodes with VPCs that span them.
type fleet struct {
	*net4
	nodes []*node
	on    map[string]*node // by interface
}

func newFleet(n *net4, nodes ...*node) *fleet {
	return &fleet{net4: n, nodes: nodes, on: map[string]*node{}}
}

// place adds an interface on a node.
func (f *fleet) place(n *node, id, subnet string, groups ...string) nodeconf.Interface {
	f.on[id] = n
	return f.iface(id, subnet, groups...)
}

// of is the configuration of one node: its interfaces, and those of others in the same VPCs.
func (f *fleet) of(n *node) *nodeconf.Config {
	c := f.Config
	c.Interfaces, c.Remotes, c.VPCs = map[string]nodeconf.Interface{}, map[string]nodeconf.Remote{}, map[string]nodeconf.VPC{}
	for id, i := range f.Interfaces {
		if f.on[id] == n {
			c.Interfaces[id] = i
			c.VPCs[i.VPC] = f.VPCs[i.VPC]
		}
	}
	for id, i := range f.Interfaces {
		if _, here := c.VPCs[i.VPC]; here && f.on[id] != n {
			c.Remotes[id] = nodeconf.Remote{ID: id, VPC: i.VPC, MAC: i.MAC, Addresses: i.Addresses, Node: f.on[id].addr}
		}
	}
	return &c
}

func (f *fleet) apply(t testing.TB) {
	t.Helper()
	f.Version++
	for _, n := range f.nodes {
		f.applyTo(t, n)
	}
}

func (f *fleet) applyTo(t testing.TB, n *node) {
	t.Helper()
	n.do(t, func() error {
		report, err := n.r.ApplyConfig(t.Context(), f.of(n))
		for id, why := range report.Failed {
			t.Fatalf("node %s: %s: %v", n.addr, id, why)
		}
		return err
	})
}

func (f *fleet) wait(t testing.TB, id string) Endpoint {
	t.Helper()
	return wait(t, f.on[id].r, id)
}
