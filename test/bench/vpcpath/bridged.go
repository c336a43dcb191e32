package main

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// bridged is the kernel's VXLAN as containers get it: on each of two machines a bridge, with the VXLAN device and a container's link in it.
type bridged struct {
	machines, tasks [2]netns.NsHandle
}

func (b *bridged) build() error {
	if err := link(&b.machines, "172.29.0."); err != nil {
		return err
	}
	for i := range b.machines {
		if err := b.machine(i); err != nil {
			return fmt.Errorf("bridged VXLAN: %w", err)
		}
		if err := address(b.tasks[i], "eth0", netip.AddrFrom4([4]byte{10, 9, 0, byte(i + 1)})); err != nil {
			return err
		}
	}
	return nil
}

func (b *bridged) machine(i int) error {
	var err error
	if b.tasks[i], err = netspace.New(func(netns.NsHandle) error { return nil }); err != nil {
		return err
	}
	h, err := netlink.NewHandleAt(b.machines[i])
	if err != nil {
		return err
	}
	defer h.Close()
	if err := vxlan(h, "vx0", i); err != nil {
		return err
	}
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0", MTU: wire - 50, TxQLen: -1}}
	if err := h.LinkAdd(bridge); err != nil {
		return err
	}
	err = h.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: "t0", MTU: wire - 50, TxQLen: -1},
		PeerName:  "eth0", PeerMTU: wire - 50, PeerNamespace: netlink.NsFd(b.tasks[i]),
	})
	for _, name := range []string{"vx0", "t0"} {
		var port netlink.Link
		if err == nil {
			port, err = h.LinkByName(name)
		}
		if err == nil {
			err = h.LinkSetMaster(port, bridge)
		}
		if err == nil {
			err = h.LinkSetUp(port)
		}
	}
	if err == nil {
		err = h.LinkSetUp(bridge)
	}
	return err
}
