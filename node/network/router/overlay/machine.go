package overlay

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/nodeconf"
)

// Machine is where packets of VPCs are sent from.
type Machine struct {
	Address netip.Addr      // on the network of the machines; the zero Addr for none: VPCs end here
	MTU     int             // of the way between the machines; 0: that of the link that has Address
	NL      *netlink.Handle // in the machine's namespace
}

// LeastMTU leaves room for the smallest packet that every machine takes.
const LeastMTU = 576 + overhead6

// Check refuses what cannot be.
func (m Machine) Check() error {
	a := m.Address
	if a.IsValid() && (a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() || a.Is4In6() || a.Zone() != "") {
		return fmt.Errorf("router: Address %s: must be an address of this machine that others reach", a)
	}
	if m.MTU != 0 && m.MTU < LeastMTU {
		return fmt.Errorf("router: AddressMTU %d: must be at least %d", m.MTU, LeastMTU)
	}
	return nil
}

// Reaches says whether there is a way to a remote: its node has an address of this one's kind, and not this one's.
func (m Machine) Reaches(r nodeconf.Remote) bool {
	return m.Address.IsValid() && r.Node.IsValid() && r.Node != m.Address && r.Node.Is4() == m.Address.Is4()
}

// mtu is the largest packet that VXLAN takes on the way between the machines: what is larger is told so at its router.
func (m Machine) mtu() (int, error) {
	mtu, over := m.MTU, overhead4
	if m.Address.Is6() {
		over = overhead6
	}
	if mtu == 0 {
		var err error
		if mtu, err = m.linkMTU(); err != nil {
			return 0, err
		}
	}
	return min(mtu-over, mostMTU), nil
}

// linkMTU is that of the link that has the machine's address.
func (m Machine) linkMTU() (int, error) {
	list, err := netspace.Dump(func() ([]netlink.Addr, error) { return m.NL.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return 0, fmt.Errorf("router: addresses of the machine: %w", err)
	}
	for _, a := range list {
		if ip, ok := netip.AddrFromSlice(a.IP); !ok || ip.Unmap() != m.Address {
			continue
		}
		link, err := m.NL.LinkByIndex(a.LinkIndex)
		if err != nil {
			return 0, fmt.Errorf("router: link of %s: %w", m.Address, err)
		}
		if link.Attrs().Flags&net.FlagLoopback == 0 {
			return link.Attrs().MTU, nil
		}
	}
	return plainMTU, nil
}
