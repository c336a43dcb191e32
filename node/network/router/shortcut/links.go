package shortcut

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// Lead is how a lane leaves by a link.
type Lead int

// What leaves across a link is cut to what the link takes; direct it is put at the link's other end as it came in.
const (
	None Lead = iota
	Across
	Direct
)

// Attach puts the programs on a link of the router, in the place of those that are there.
func (r *Router) Attach(h *netlink.Handle, link netlink.Link, l Lead) error {
	if r == nil {
		return detach(h, link)
	}
	leave := r.across
	if l == Direct {
		leave = r.direct
	}
	index := link.Attrs().Index
	if err := h.QdiscAdd(clsact(index)); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("shortcut: %s: %w", link.Attrs().Name, err)
	}
	for _, f := range []struct {
		parent uint32
		p      *ebpf.Program
	}{{netlink.HANDLE_MIN_INGRESS, r.arrive}, {netlink.HANDLE_MIN_EGRESS, leave}} {
		err := h.FilterReplace(&netlink.BpfFilter{
			FilterAttrs: netlink.FilterAttrs{LinkIndex: index, Parent: f.parent, Handle: 1, Priority: 1, Protocol: unix.ETH_P_ALL},
			Fd:          f.p.FD(), Name: "berth", DirectAction: true,
		})
		if err != nil {
			return fmt.Errorf("shortcut: %s: %w", link.Attrs().Name, err)
		}
	}
	return nil
}

// detach takes programs off a link, as far as there are any.
func detach(h *netlink.Handle, link netlink.Link) error {
	err := h.QdiscDel(clsact(link.Attrs().Index))
	if err != nil && !netspace.Absent(err) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("shortcut: %s: %w", link.Attrs().Name, err)
	}
	return nil
}

func clsact(index int) netlink.Qdisc {
	return &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT}}
}
