package netspace

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// SetSegments says how much a link takes at once. A kernel that cannot do more than usual stays as it is.
func SetSegments(h *netlink.Handle, link netlink.Link, size int) error {
	a := link.Attrs()
	if int(a.GSOIPv4MaxSize) == size {
		return nil
	}
	err := h.LinkSetGSOIPv4MaxSize(link, size)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("netspace: size of segments on %s: %w", a.Name, err)
	}
	a.GSOIPv4MaxSize = uint32(size)
	return nil
}
