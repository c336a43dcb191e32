package lan

import (
	"errors"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// ensure makes a link, unless it is there, and brings it up.
func ensure(h *netlink.Handle, want netlink.Link) (netlink.Link, error) {
	name := want.Attrs().Name
	l, err := h.LinkByName(name)
	if netspace.Absent(err) {
		if err := h.LinkAdd(want); err != nil {
			return nil, err
		}
		l, err = h.LinkByName(name)
	}
	if err != nil {
		return nil, err
	}
	return l, h.LinkSetUp(l)
}

// remove removes a link that may be there.
func remove(h *netlink.Handle, name string) error {
	l, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkDel(l)
	}
	if netspace.Absent(err) {
		return nil
	}
	return err
}

// removeAll removes the links that end with their namespace, which an open socket may keep.
func removeAll(h *netlink.Handle) error {
	all, err := h.LinkList()
	errs := []error{err}
	for _, l := range all {
		if t := l.Type(); t == "veth" || t == "bridge" || t == "vxlan" {
			if err := h.LinkDel(l); err != nil && !netspace.Absent(err) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// address gives a link its address and, if there is one, the way to everywhere else.
func address(h *netlink.Handle, name string, a netip.Prefix, router netip.Addr) error {
	l, err := h.LinkByName(name)
	if err != nil {
		return err
	}
	own := &net.IPNet{IP: a.Addr().AsSlice(), Mask: net.CIDRMask(a.Bits(), a.Addr().BitLen())}
	if err := errors.Join(h.AddrReplace(l, &netlink.Addr{IPNet: own}), h.LinkSetUp(l)); err != nil || !router.IsValid() {
		return err
	}
	everywhere := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	return h.RouteReplace(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: everywhere, Gw: router.AsSlice()})
}
