package router

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// TestHandOver: a sandbox takes the addresses from the namespace. Neither a change of the configuration nor another process puts them back,
// because the kernel would answer in the sandbox's stead; only the next sandbox's beginning does.
func TestHandOver(t *testing.T) {
	const eni = "eni-0123456789abcdef0"
	r := open(t)
	n := newNet("vpc-1", "10.1.0.0/16")
	n.group("vpc-1", "sg-1", allow(6, 80, 80, "10.1.0.0/16"))
	n.iface(eni, "vpc-1a", "sg-1")
	n.apply(t, r)
	e := wait(t, r, eni)
	for range 2 {
		if err := r.HandOver(t.Context(), e.ID); err != nil {
			t.Fatal(err)
		}
		if got := inside(t, e, false); len(got) != 1 || got[0] != e.Addresses[0] {
			t.Fatalf("handed over: %v", got)
		}
		inside(t, e, true)
		n.group("vpc-1", "sg-1") // a change
		n.apply(t, r)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		var err error
		if r, err = Open(t.Context(), r.cfg); err != nil {
			t.Fatal(err)
		}
		n.apply(t, r)
		if got := inside(t, wait(t, r, eni), false); len(got) > 0 {
			t.Fatalf("put back: %v", got)
		}
	}
	destroy(t, r)
	if err := r.HandOver(t.Context(), e.ID); err == nil {
		t.Error("an interface that is gone was handed over")
	}
}

// inside are the addresses of eth0 in its namespace; take removes them, as gVisor does.
func inside(t *testing.T, e Endpoint, take bool) []netip.Addr {
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
		if take {
			if err := h.AddrDel(eth0, &a); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}
