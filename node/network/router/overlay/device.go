package overlay

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/rules"
)

// What VXLAN adds to a packet on an underlay of IPv4, and on one of IPv6.
const (
	overhead4 = 20 + 8 + 8 + 14
	overhead6 = 40 + 8 + 8 + 14
)

const (
	plainMTU = 1500 // of a machine whose address is on none of its links
	mostMTU  = 9001 // no interface takes more
	ttl      = 64
)

// ensure makes the VPC's VXLAN device, or puts it right. Its packets are the machine's: it is made there and lives in the router.
func (w *Way) ensure(number uint32, whole bool) (fresh bool, err error) {
	if whole && w.link != nil && w.fits(w.link, number) {
		return false, nil
	}
	if w.link != nil && !w.fits(w.link, number) {
		if err := w.delete(); err != nil {
			return false, err
		}
	}
	mtu, err := w.machine.mtu()
	if err != nil {
		return false, err
	}
	if w.narrowest > 0 {
		mtu = min(mtu, w.narrowest)
	}
	if fresh = w.link == nil; fresh {
		if err := w.make(number, mtu); err != nil {
			return false, err
		}
	}
	if w.link.Attrs().MTU != mtu {
		if err := w.nl.LinkSetMTU(w.link, mtu); err != nil {
			return false, fmt.Errorf("router: MTU of the overlay: %w", err)
		}
		w.link.Attrs().MTU = mtu
	}
	err = netspace.Inside(w.ns, func() error { return netspace.Sysctl("0", "ipv4/conf/"+rules.Overlay+"/proxy_arp") })
	if err == nil {
		err = w.nl.LinkSetUp(w.link)
	}
	if err != nil {
		return false, fmt.Errorf("router: bring up the overlay: %w", err)
	}
	if !fresh {
		err = w.readForwarding()
	}
	return fresh, err
}

// fits says whether a link is the device of a VPC's number and the machine's address.
func (w *Way) fits(link netlink.Link, number uint32) bool {
	x, ok := link.(*netlink.Vxlan)
	return ok && x.VxlanId == int(number) && x.Port == rules.OverlayPort && !x.Learning && x.SrcAddr.Equal(w.machine.Address.AsSlice()) &&
		bytes.Equal(x.HardwareAddr, rules.NodeMAC(w.machine.Address))
}

func (w *Way) make(number uint32, mtu int) error {
	err := w.machine.NL.LinkAdd(&netlink.Vxlan{
		LinkAttrs: netlink.LinkAttrs{
			Name: rules.Overlay, MTU: mtu, TxQLen: -1, HardwareAddr: rules.NodeMAC(w.machine.Address), Namespace: netlink.NsFd(w.ns),
		},
		VxlanId: int(number), SrcAddr: net.IP(w.machine.Address.AsSlice()), Port: rules.OverlayPort, TTL: ttl,
	})
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("router: this machine has another VXLAN device of network %d: %w", number, err)
	}
	if err != nil {
		return fmt.Errorf("router: make the VXLAN device of network %d: %w", number, err)
	}
	if w.link, err = w.nl.LinkByName(rules.Overlay); err != nil {
		return fmt.Errorf("router: VXLAN device of network %d: %w", number, err)
	}
	return nil
}

// readForwarding takes over which nodes the device of an earlier process knows, and forgets what leads elsewhere.
func (w *Way) readForwarding() error {
	list, err := netspace.Dump(func() ([]netlink.Neigh, error) { return w.nl.NeighList(w.link.Attrs().Index, unix.AF_BRIDGE) })
	if err != nil {
		return fmt.Errorf("router: read the overlay's nodes: %w", err)
	}
	w.known = map[netip.Addr]bool{}
	var errs error
	for _, n := range list {
		a, ok := netip.AddrFromSlice(n.IP)
		if a = a.Unmap(); ok && bytes.Equal(n.HardwareAddr, rules.NodeMAC(a)) {
			w.known[a] = true
			continue
		}
		n.Family, n.Flags = unix.AF_BRIDGE, netlink.NTF_SELF
		if err := w.nl.NeighDel(&n); err != nil && !netspace.Absent(err) {
			errs = errors.Join(errs, fmt.Errorf("router: way to %s: %w", n.HardwareAddr, err))
		}
	}
	return errs
}
