package network

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/network/netspace"
)

// slot is a namespace that is connected and complete but belongs to nobody yet. Only its descriptor keeps it alive.
type slot struct {
	ns   netns.NsHandle
	port port
	addr netip.Addr
}

// containerSettings are those a container runtime gives a namespace of its own.
var containerSettings = [][2]string{
	{"ipv4/ip_unprivileged_port_start", "0"},
	{"ipv4/ping_group_range", "0 2147483647"},
	{"ipv6/conf/default/disable_ipv6", "1"},
}

// buildSlot makes namespace, link, address, route and the right to send.
func (n *Network) buildSlot() (s *slot, err error) {
	s = &slot{}
	if s.addr, err = n.takeAddress(); err != nil {
		return nil, err
	}
	s.port.name = n.claimLink()
	defer func() {
		if err != nil {
			n.dropSlot(s)
		}
	}()
	w := wire{host: s.port.name, inner: "eth0", addr: netip.PrefixFrom(s.addr, n.cfg.Subnet.Bits())}
	s.ns, err = netspace.New(func(netns.NsHandle) error { return netspace.Sysctls(containerSettings) })
	if err != nil {
		s.ns = -1
		return s, err
	}
	if s.port.index, err = n.connect(s.ns, w); err != nil {
		return s, err
	}
	failpoint.Hit(failpoint.LinkMade)
	if err = netspace.Inside(s.ns, func() error { return configureInside(w, n.cfg.gateway()) }); err != nil {
		return s, err
	}
	if err = netspace.AwaitCarrier(n.nl, w.host); err != nil {
		return s, err
	}
	who := sender{s.port.name, macOf(s.addr), s.addr}
	err = n.tx.apply(change{set: n.rules.owners, elems: []nftables.SetElement{who.element()}})
	failpoint.Hit(failpoint.SlotMade)
	return s, err
}

// dropSlot takes back everything buildSlot made.
func (n *Network) dropSlot(s *slot) {
	n.logFailure("give up a namespace made ahead", n.removePort(s.port, s.addr))
	if s.ns > 0 {
		_ = s.ns.Close()
	}
}

// removePort deletes a link, its right to send, and frees name and address.
func (n *Network) removePort(p port, a netip.Addr) error {
	who := sender{p.name, macOf(a), a}
	err := n.tx.discard(change{set: n.rules.owners, elems: []nftables.SetElement{who.element()}})
	if p.index != 0 {
		if e := n.deleteLink(p); err == nil {
			err = e
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.links, p.name)
	n.addrs.free(a, time.Now())
	return err
}

// wire is a veth pair from the bridge into a namespace.
type wire struct {
	host, inner string
	addr        netip.Prefix
}

// connect makes the pair with its host end up and on the bridge.
func (n *Network) connect(ns netns.NsHandle, w wire) (index int, err error) {
	veth := &netlink.Veth{
		LinkAttrs:        netlink.LinkAttrs{Name: w.host, MasterIndex: n.bridge, TxQLen: -1},
		PeerName:         w.inner,
		PeerHardwareAddr: macOf(w.addr.Addr()),
		PeerNamespace:    netlink.NsFd(ns),
	}
	if err := n.nl.LinkAdd(veth); err != nil {
		return 0, fmt.Errorf("network: make link %s: %w", w.host, err)
	}
	if err := netspace.Sysctl("1", "ipv6/conf/"+w.host+"/disable_ipv6"); err != nil {
		return veth.Index, err
	}
	// A container that calls itself by a published port: where the kernel filters bridged packets, the frame is turned
	// round inside the bridge and has to leave by the port it came from.
	if err := n.nl.LinkSetHairpin(veth, true); err != nil {
		return veth.Index, fmt.Errorf("network: hairpin on %s: %w", w.host, err)
	}
	if err := n.nl.LinkSetUp(veth); err != nil {
		return veth.Index, fmt.Errorf("network: bring up %s: %w", w.host, err)
	}
	return veth.Index, nil
}

// configureInside runs on a thread in the namespace.
func configureInside(w wire, gateway netip.Addr) error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("network: netlink: %w", err)
	}
	defer h.Close()
	if err := upLoopback(h); err != nil {
		return err
	}
	link, err := h.LinkByName(w.inner)
	if err != nil {
		return fmt.Errorf("network: link %s: %w", w.inner, err)
	}
	if err := h.AddrAdd(link, &netlink.Addr{IPNet: ipNet(w.addr.Addr(), w.addr.Bits())}); err != nil {
		return fmt.Errorf("network: address %s: %w", w.addr, err)
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("network: bring up %s: %w", w.inner, err)
	}
	index := link.Attrs().Index
	metadata := &netlink.Route{LinkIndex: index, Dst: ipNet(metadataAddr, 32), Scope: unix.RT_SCOPE_LINK}
	if err := h.RouteAdd(metadata); err != nil {
		return fmt.Errorf("network: route to %s: %w", metadataAddr, err)
	}
	if err := h.RouteAdd(&netlink.Route{LinkIndex: index, Gw: gateway.AsSlice()}); err != nil {
		return fmt.Errorf("network: default route by %s: %w", gateway, err)
	}
	return netspace.AwaitCarrier(h, w.inner)
}

func upLoopback(h *netlink.Handle) error {
	lo, err := h.LinkByName("lo")
	if err == nil {
		err = h.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("network: bring up lo: %w", err)
	}
	return nil
}

// buildLonely makes a namespace that has its loopback and nothing else.
func buildLonely() (netns.NsHandle, error) {
	return netspace.New(func(netns.NsHandle) error {
		if err := netspace.Sysctls(containerSettings); err != nil {
			return err
		}
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("network: netlink: %w", err)
		}
		defer h.Close()
		return upLoopback(h)
	})
}
