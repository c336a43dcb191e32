package router

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

// behindBridge is a namespace that plays a container of bridge mode: what is published of it arrives there by the machine's translation.
func behindBridge(t *testing.T, r *Routers) Endpoint {
	t.Helper()
	ns, err := netspace.New(func(netns.NsHandle) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	b := r.cfg.PublicPool.Addr().As4()
	host, own := netip.AddrFrom4([4]byte{10, 216, b[2], b[3] + 1}), netip.AddrFrom4([4]byte{10, 216, b[2], b[3] + 2})
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: r.cfg.bridge(), TxQLen: -1}, PeerName: "eth0", PeerNamespace: netlink.NsFd(ns)}
	if err := netlink.LinkAdd(veth); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(veth); _ = ns.Close() })
	if err := errors.Join(netlink.AddrAdd(veth, &netlink.Addr{IPNet: netspace.IPNet(netip.PrefixFrom(host, 28))}), netlink.LinkSetUp(veth)); err != nil {
		t.Fatal(err)
	}
	e := Endpoint{ID: "container", Netns: fmt.Sprintf("/proc/self/fd/%d", int(ns)), Addresses: []netip.Addr{own}}
	spacetest.In(t, e.Netns, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return errors.Join(
			netlink.AddrAdd(link, &netlink.Addr{IPNet: netspace.IPNet(netip.PrefixFrom(own, 28))}), netlink.LinkSetUp(link),
			netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: host.AsSlice()}))
	})
	if err := netspace.AwaitCarrier(r.nl, r.cfg.bridge()); err != nil {
		t.Fatal(err)
	}
	return e
}

// No security group is asked on the way to the bridge, so that nothing of a VPC begins a connection there; answers pass.
func TestBridgeIsOutOfReach(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	n.iface("eni-task", "vpc-1a")
	n.public("eni-task", pool(r, 1))
	n.apply(t, r)
	task, container := wait(t, r, "eni-task"), behindBridge(t, r)
	for _, proto := range []string{"tcp", "udp"} {
		spacetest.Space(task.Netns).Serve(t, proto, ":80", task.ID)
		spacetest.Space(container.Netns).Serve(t, proto, ":80", container.ID)
		wantAnswer(t, container, proto, public(pool(r, 1), 80), task.ID)
		wantSilence(t, task, proto, at(container, 80))
	}
}
