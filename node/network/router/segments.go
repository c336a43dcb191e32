package router

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A packet costs a router the same whatever its size, and the kernel cuts what a task sends into packets of the MTU only where it leaves the
// machine. Links of interfaces take more than the usual 64 KiB at once, so that the router costs a stream next to nothing; the headers of such
// a packet say length 0, which the kernel's own parts know. A sandbox does not: its links take what every network stack understands.
const (
	largeSegments = 192 << 10
	plainSegments = 64 << 10
)

// setSegments says how much a link takes at once. A kernel that cannot do more than usual stays as it is.
func setSegments(h *netlink.Handle, link netlink.Link, size int) error {
	a := link.Attrs()
	if int(a.GSOIPv4MaxSize) == size {
		return nil
	}
	err := h.LinkSetGSOIPv4MaxSize(link, size)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("router: size of segments on %s: %w", a.Name, err)
	}
	a.GSOIPv4MaxSize = uint32(size)
	return nil
}

// segmentsOf are those of both ends of an interface, by its eth0.
func segmentsOf(eth0 netlink.Link) int {
	if eth0.Attrs().Alias == handedOver {
		return plainSegments
	}
	return largeSegments
}
