package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// MetadataListener listens on 169.254.170.2:80 in the metadata namespace: reachable from bridge endpoints and from the
// host, from nowhere else, and in nobody's way who binds port 80. It fails while another process keeps the listener.
func (n *Network) MetadataListener(ctx context.Context) (l net.Listener, err error) {
	err = n.beside(func() (err error) {
		var lc net.ListenConfig
		l, err = lc.Listen(ctx, "tcp4", netip.AddrPortFrom(metadataAddr, 80).String())
		return err
	})
	return l, err
}

// MetadataNamespace is where the namespace with the metadata address is mounted.
func (n *Network) MetadataNamespace() string { return n.cfg.metadataNetns() }

// beside runs f in the metadata namespace.
func (n *Network) beside(f func() error) error {
	ns, err := netns.GetFromPath(n.cfg.metadataNetns())
	if err != nil {
		return fmt.Errorf("network: metadata namespace: %w", err)
	}
	defer func() { _ = ns.Close() }()
	if err := netspace.Inside(ns, f); err != nil {
		return fmt.Errorf("network: listen in the metadata namespace: %w", err)
	}
	return nil
}

// ensureMetadata puts a namespace with the metadata address on the bridge. Being a neighbour of the containers, it sees
// their own addresses, which the bridge has checked; being routed nowhere, it is out of reach for everybody else.
func (n *Network) ensureMetadata() error {
	if err := errors.Join(n.ensureMetadataLink(), n.ensureResolver()); err != nil {
		return err
	}
	link, err := n.nl.LinkByName(n.cfg.bridge())
	if err != nil {
		return fmt.Errorf("network: bridge: %w", err)
	}
	// With several installations on a machine the host itself reaches the one whose bridge is oldest.
	route := &netlink.Route{
		LinkIndex: link.Attrs().Index, Dst: ipNet(metadataAddr, 32), Scope: unix.RT_SCOPE_LINK,
		Src: n.cfg.gateway().AsSlice(), Priority: link.Attrs().Index,
	}
	if err := n.nl.RouteReplace(route); err != nil {
		return fmt.Errorf("network: route to %s: %w", metadataAddr, err)
	}
	return nil
}

func (n *Network) ensureMetadataLink() error {
	link, err := n.nl.LinkByName(n.cfg.metadataLink())
	if err == nil && netspace.Mounted(n.cfg.metadataNetns()) {
		return errors.Join(n.rejoin(link), n.allowMetadata())
	}
	if err != nil && !isAbsent(err) {
		return fmt.Errorf("network: metadata link: %w", err)
	}
	if err := netspace.Unmount(n.cfg.metadataNetns()); err != nil {
		return err
	}
	if link, err := n.nl.LinkByName(n.cfg.metadataLink()); err == nil {
		if err := n.nl.LinkDel(link); err != nil && !isAbsent(err) {
			return fmt.Errorf("network: metadata link: %w", err)
		}
	}
	return n.makeMetadata()
}

// makeMetadata mounts last: a namespace that is mounted is complete.
func (n *Network) makeMetadata() error {
	ns, err := netspace.New(func(netns.NsHandle) error { return netspace.Sysctl("1", "ipv6/conf/default/disable_ipv6") })
	if err != nil {
		return err
	}
	defer func() { _ = ns.Close() }()
	w := wire{host: n.cfg.metadataLink(), inner: "eth0", addr: netip.PrefixFrom(metadataAddr, 32)}
	if _, err := n.connect(ns, w); err != nil {
		return err
	}
	if err := netspace.Inside(ns, func() error { return configureMetadata(w, n.cfg.Subnet) }); err != nil {
		return err
	}
	// The first port brings the bridge up, too.
	if err := errors.Join(netspace.AwaitCarrier(n.nl, w.host), netspace.AwaitCarrier(n.nl, n.cfg.bridge()), n.allowMetadata()); err != nil {
		return err
	}
	return netspace.Mount(ns, n.cfg.metadataNetns())
}

func (n *Network) allowMetadata() error {
	who := sender{n.cfg.metadataLink(), macOf(metadataAddr), metadataAddr}
	return n.tx.apply(change{set: n.rules.owners, elems: []nftables.SetElement{who.element()}})
}

// configureMetadata gives the namespace the way to the bridge's subnet and no other.
func configureMetadata(w wire, subnet netip.Prefix) error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("network: netlink: %w", err)
	}
	defer h.Close()
	link, err := h.LinkByName(w.inner)
	if err == nil {
		err = h.AddrAdd(link, &netlink.Addr{IPNet: ipNet(w.addr.Addr(), 32)})
	}
	if err == nil {
		err = h.LinkSetUp(link)
	}
	if err == nil {
		err = h.RouteAdd(&netlink.Route{
			LinkIndex: link.Attrs().Index, Dst: ipNet(subnet.Addr(), subnet.Bits()), Scope: unix.RT_SCOPE_LINK, Src: metadataAddr.AsSlice(),
		})
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("network: configure the metadata namespace: %w", err)
	}
	if err := upLoopback(h); err != nil {
		return err
	}
	return netspace.AwaitCarrier(h, w.inner)
}
