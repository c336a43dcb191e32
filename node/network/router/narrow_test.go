package router

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

// narrow connects two underlays by two machines with a link between them that takes less, and has a node of each know the other's address.
func narrow(t *testing.T, a, b *node, mtu int) {
	t.Helper()
	x, y := a.u.host(t), b.u.host(t)
	from, to := netip.MustParseAddr("172.30.0.1"), netip.MustParseAddr("172.30.0.2")
	if a.u.six {
		from, to = netip.MustParseAddr("fd98::1"), netip.MustParseAddr("fd98::2")
	}
	a.u.in(t, x.ns, func(nl *netlink.Handle) error {
		return nl.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: "m0", MTU: mtu, TxQLen: -1}, PeerName: "m0", PeerMTU: uint32(mtu), PeerNamespace: netlink.NsFd(y.ns),
		})
	})
	for h, addr := range map[*host]netip.Addr{x: from, y: to} {
		h.do(t, func() error {
			return netspace.Sysctls([][2]string{{"ipv4/ip_forward", "1"}, {"ipv6/conf/all/forwarding", "1"}})
		})
		(&host{u: h.u, ns: h.ns, link: "m0"}).assign(t, addr)
	}
	for _, r := range []struct {
		in       *host
		link     string
		dst, via netip.Addr
	}{{a.host, "u0", b.addr, x.addr}, {x, "m0", b.addr, to}, {y, "m0", a.addr, from}, {b.host, "u0", a.addr, y.addr}} {
		r.in.u.in(t, r.in.ns, func(nl *netlink.Handle) error {
			l, err := nl.LinkByName(r.link)
			if err != nil {
				return err
			}
			return nl.RouteReplace(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: netspace.Single(r.dst), Gw: r.via.AsSlice(), Flags: int(netlink.FLAG_ONLINK)})
		})
	}
}

// A hop on the way between nodes that takes less than their links, and that nobody said, makes a stream slower; it arrives all the same.
func TestNarrowHopBetweenNodes(t *testing.T) {
	t.Parallel()
	overlays(t, 1500, func(t *testing.T, u *underlay) {
		t.Helper()
		far := newUnderlay(t, 1500, u.six)
		far.n = 100
		a, b := u.node(t), far.node(t)
		narrow(t, a, b, 1300)
		f := newFleet(newNet("vpc-1", "10.0.0.0/16"), a, b)
		f.place(a, "eni-client", "vpc-1a")
		f.place(b, "eni-server", "vpc-1b")
		f.apply(t)
		client, server := f.wait(t, "eni-client"), f.wait(t, "eni-server")
		spacetest.Space(server.Netns).Serve(t, "tcp", ":80", server.ID)
		wantTransferWithin(t, client, at(server, 80), 4<<20, 12*patience)
		wantTransferWithin(t, client, at(server, 80), 1<<20, 12*patience) // what the first one found out is known
	})
}
