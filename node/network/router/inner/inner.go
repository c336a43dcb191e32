// Package inner is an interface as its task sees it: eth0 in its namespace.
//
// Guarantees:
//
//   - What is as it should be is not touched.
//   - An eth0 that was handed over to a sandbox keeps link address, MTU and segments, and gets no address and no route.
package inner

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/nodeconf"
)

// HandedOver is the alias of an eth0 whose addresses are a sandbox's: it speaks for itself on that link, and the kernel must not.
const HandedOver = "sandbox"

// A packet costs a router the same whatever its size, and the kernel cuts what a task sends into packets of the MTU only where it leaves the
// machine. Links of interfaces take more than the usual 64 KiB at once, so that the router costs a stream next to nothing; the headers of such
// a packet say length 0, which the kernel's own parts know. A sandbox does not, and VXLAN cannot carry it: then links take what every network
// stack understands.
const (
	LargeSegments = 192 << 10
	PlainSegments = 64 << 10
)

// Segments are those of both ends of an interface, by its eth0 and whether its VPC spans nodes.
func Segments(eth0 netlink.Link, spans bool) int {
	if spans || eth0.Attrs().Alias == HandedOver {
		return PlainSegments
	}
	return LargeSegments
}

// Settings are those a container runtime gives a namespace of its own.
var Settings = [][2]string{
	{"ipv4/ip_unprivileged_port_start", "0"},
	{"ipv4/ping_group_range", "0 2147483647"},
	{"ipv6/conf/default/disable_ipv6", "1"},
}

// DefaultMTU is AWS's.
const DefaultMTU = 9001

// Configure gives eth0 what EC2 would show.
func Configure(h *netlink.Handle, eth0 netlink.Link, i nodeconf.Interface, s nodeconf.Subnet) error {
	mac, err := net.ParseMAC(i.MAC)
	if err != nil {
		return fmt.Errorf("inner: interface %s: %w", i.ID, err)
	}
	attrs := eth0.Attrs()
	if attrs.HardwareAddr.String() != mac.String() {
		if err := h.LinkSetHardwareAddr(eth0, mac); err != nil {
			return fmt.Errorf("inner: MAC of %s: %w", i.ID, err)
		}
	}
	if mtu := MTU(i); attrs.MTU != mtu {
		if err := h.LinkSetMTU(eth0, mtu); err != nil {
			return fmt.Errorf("inner: MTU of %s: %w", i.ID, err)
		}
	}
	if attrs.Alias == HandedOver {
		return nil
	}
	return errors.Join(Addresses(h, eth0, i, s), Route(h, eth0, s))
}

func MTU(i nodeconf.Interface) int {
	if i.MTU == 0 {
		return DefaultMTU
	}
	return i.MTU
}

func Addresses(h *netlink.Handle, eth0 netlink.Link, i nodeconf.Interface, s nodeconf.Subnet) error {
	have, err := AddressesOf(h, eth0)
	if err != nil {
		return err
	}
	var errs error
	clean := true
	for a := range have { // first: those that follow a primary address go with it
		if slices.Contains(i.Addresses, a) {
			continue
		}
		clean = false
		if err := h.AddrDel(eth0, &netlink.Addr{IPNet: netspace.IPNet(netip.PrefixFrom(a, s.CIDR.Bits()))}); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			errs = errors.Join(errs, fmt.Errorf("inner: address %s of %s: %w", a, i.ID, err))
		}
	}
	for _, a := range i.Addresses {
		if have[a] && clean {
			continue
		}
		if err := h.AddrReplace(eth0, &netlink.Addr{IPNet: netspace.IPNet(netip.PrefixFrom(a, s.CIDR.Bits()))}); err != nil {
			errs = errors.Join(errs, fmt.Errorf("inner: address %s of %s: %w", a, i.ID, err))
		}
	}
	return errs
}

func Route(h *netlink.Handle, eth0 netlink.Link, s nodeconf.Subnet) error {
	if err := h.RouteReplace(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: s.Gateway.AsSlice()}); err != nil {
		return fmt.Errorf("inner: default route by %s: %w", s.Gateway, err)
	}
	return nil
}

// AddressesOf are a link's.
func AddressesOf(h *netlink.Handle, link netlink.Link) (map[netip.Addr]bool, error) {
	list, err := netspace.Dump(func() ([]netlink.Addr, error) { return h.AddrList(link, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("inner: addresses of %s: %w", link.Attrs().Name, err)
	}
	out := map[netip.Addr]bool{}
	for _, a := range list {
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			out[ip.Unmap()] = true
		}
	}
	return out, nil
}

// Enter opens the namespace of an interface that exists, by the path of its mount.
func Enter(path string) (h *netlink.Handle, eth0 netlink.Link, done func(), err error) {
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("inner: namespace %s: %w", path, err)
	}
	defer func() { _ = ns.Close() }()
	if h, err = netlink.NewHandleAt(ns, unix.NETLINK_ROUTE); err != nil {
		return nil, nil, nil, fmt.Errorf("inner: netlink of %s: %w", path, err)
	}
	if eth0, err = h.LinkByName("eth0"); err != nil {
		h.Close()
		return nil, nil, nil, fmt.Errorf("inner: eth0 of %s: %w", path, err)
	}
	return h, eth0, h.Close, nil
}
