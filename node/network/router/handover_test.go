package router

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// TestHandOver: a sandbox gets what the kernel had, and the device. Neither a change of the configuration nor another process puts the
// addresses back, because the kernel would answer in the sandbox's stead.
func TestHandOver(t *testing.T) {
	const eni = "eni-0123456789abcdef0"
	r := open(t)
	n := newNet("vpc-1", "10.1.0.0/16")
	n.group("vpc-1", "sg-1", allow(6, 80, 80, "10.1.0.0/16"))
	n.iface(eni, "vpc-1a", "sg-1")
	n.apply(t, r)
	e := wait(t, r, eni)
	for range 2 {
		h, err := r.HandOver(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if h.Name != "eth0" || h.MAC != e.MAC || len(h.Addresses) != 1 || h.Addresses[0] != e.Addresses[0] || h.Subnet != e.Subnet {
			t.Errorf("handed over: %+v", h)
		}
		if at, err := unix.Getsockname(int(h.Device.Fd())); err != nil || at.(*unix.SockaddrLinklayer).Ifindex == 0 {
			t.Errorf("the device: %+v %v", at, err)
		}
		_ = h.Device.Close()
		if got := inside(t, e); len(got) > 0 {
			t.Fatalf("the kernel has still: %v", got)
		}
		n.group("vpc-1", "sg-1") // a change
		n.apply(t, r)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if r, err = Open(t.Context(), r.cfg); err != nil {
			t.Fatal(err)
		}
		n.apply(t, r)
		if got := inside(t, wait(t, r, eni)); len(got) > 0 {
			t.Fatalf("put back: %v", got)
		}
	}
	destroy(t, r)
	if _, err := r.HandOver(t.Context(), e.ID); err == nil {
		t.Error("an interface that is gone was handed over")
	}
}

// inside are the addresses of eth0 in its namespace.
func inside(t *testing.T, e Endpoint) []netip.Addr {
	t.Helper()
	ns, err := netns.GetFromPath(e.Netns)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	eth0, err := h.LinkByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	list, err := h.AddrList(eth0, unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	var out []netip.Addr
	for _, a := range list {
		ip, _ := netip.AddrFromSlice(a.IP)
		out = append(out, ip.Unmap())
	}
	return out
}

// speakFor has the kernel speak for a sandbox that there is not.
func speakFor(t *testing.T, h Handover) {
	t.Helper()
	_ = h.Device.Close() // nothing was read
	ns, err := netns.GetFromPath(h.Netns)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	nl, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer nl.Close()
	eth0, err := nl.LinkByName(h.Name)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range h.Addresses {
		if err := nl.AddrAdd(eth0, &netlink.Addr{IPNet: netspace.IPNet(netip.PrefixFrom(a, h.Subnet.Bits()))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := nl.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: h.Gateway.AsSlice()}); err != nil {
		t.Fatal(err)
	}
}
