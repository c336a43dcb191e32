package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// dumpTries: the kernel asks for another try when its tables changed during a dump.
const dumpTries = 50

func retryDump[T any](dump func() (T, error)) (out T, err error) {
	for range dumpTries {
		out, err = dump()
		if !errors.Is(err, netlink.ErrDumpInterrupted) && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return out, err
		}
	}
	return out, err
}

func ipNet(a netip.Addr, bits int) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, 32)}
}

func isAbsent(err error) bool {
	var notFound netlink.LinkNotFoundError
	return errors.As(err, &notFound) || errors.Is(err, unix.ENODEV)
}

// ensureBridge makes the bridge or adopts it, and says clearly when the machine has other plans for name or subnet.
func (n *Network) ensureBridge() error {
	name := n.cfg.bridge()
	if err := n.checkRoutes(); err != nil {
		return err
	}
	link, err := n.nl.LinkByName(name)
	if isAbsent(err) {
		off := false
		br := &netlink.Bridge{
			// A fixed MAC: otherwise the bridge changes its own with its ports, and containers lose their gateway for a while.
			LinkAttrs:         netlink.LinkAttrs{Name: name, HardwareAddr: macOf(n.cfg.gateway())},
			MulticastSnooping: &off,
		}
		if err := n.nl.LinkAdd(br); err != nil {
			return fmt.Errorf("network: make bridge %s: %w", name, err)
		}
		link, err = n.nl.LinkByName(name)
	}
	if err != nil {
		return fmt.Errorf("network: bridge %s: %w", name, err)
	}
	if link.Type() != "bridge" {
		return fmt.Errorf("network: link %s exists and is a %s, not a bridge: remove it or choose another installation name", name, link.Type())
	}
	n.bridge = link.Attrs().Index
	return n.configureBridge(link)
}

func (n *Network) configureBridge(link netlink.Link) error {
	name := n.cfg.bridge()
	addrs, err := retryDump(func() ([]netlink.Addr, error) { return n.nl.AddrList(link, unix.AF_INET) })
	if err != nil {
		return fmt.Errorf("network: addresses of %s: %w", name, err)
	}
	want := ipNet(n.cfg.gateway(), n.cfg.Subnet.Bits())
	for _, a := range addrs {
		if a.IPNet.String() != want.String() {
			return fmt.Errorf("network: bridge %s has the address %s, the configured subnet asks for %s: stop the installation or keep its subnet", name, a.IPNet, want)
		}
	}
	err = netspace.Sysctls([][2]string{
		{"ipv4/ip_forward", "1"},
		{"ipv4/conf/" + name + "/route_localnet", "1"},
		{"ipv6/conf/" + name + "/disable_ipv6", "1"},
	})
	if err != nil {
		return err
	}
	if len(addrs) == 0 {
		if err := n.nl.AddrAdd(link, &netlink.Addr{IPNet: want}); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("network: address %s on %s: %w", want, name, err)
		}
	}
	if err := n.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("network: bring up %s: %w", name, err)
	}
	return nil
}

// checkRoutes refuses a subnet that the machine already routes somewhere else.
func (n *Network) checkRoutes() error {
	routes, err := retryDump(func() ([]netlink.Route, error) { return n.nl.RouteList(nil, unix.AF_INET) })
	if err != nil {
		return fmt.Errorf("network: read routes: %w", err)
	}
	for _, r := range routes {
		dst, ok := prefixOf(r.Dst)
		if !ok || dst.Bits() == 0 || !dst.Overlaps(n.cfg.Subnet) {
			continue
		}
		via := "to nowhere"
		if link, err := n.nl.LinkByIndex(r.LinkIndex); err == nil {
			via = "by link " + link.Attrs().Name
			if link.Attrs().Name == n.cfg.bridge() {
				continue
			}
		}
		return fmt.Errorf("network: Subnet %s overlaps the machine's route %s (%s): configure another subnet", n.cfg.Subnet, dst, via)
	}
	return nil
}

func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	a, ok := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), ones), ok
}

// port is what the kernel says about the host's end of one link of ours.
type port struct {
	name   string
	index  int
	master int // link index of the bridge; 0 when it has none
	alias  string
}

// ports lists the host's ends of our links, apart from the metadata namespace's. The name alone tells: a link that lost
// its bridge is still ours.
func (n *Network) ports() ([]port, error) {
	links, err := retryDump(n.nl.LinkList)
	if err != nil {
		return nil, fmt.Errorf("network: list links: %w", err)
	}
	var out []port
	for _, l := range links {
		a := l.Attrs()
		if strings.HasPrefix(a.Name, n.cfg.portPrefix()) && a.Name != n.cfg.metadataLink() {
			out = append(out, port{a.Name, a.Index, a.MasterIndex, a.Alias})
		}
	}
	return out, nil
}

// deleteLink removes a link by its index; one that is gone already is no error.
func (n *Network) deleteLink(p port) error {
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: p.name, Index: p.index}}
	if err := n.nl.LinkDel(link); err != nil && !isAbsent(err) {
		return fmt.Errorf("network: delete link %s: %w", p.name, err)
	}
	return nil
}
