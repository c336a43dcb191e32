// Package bulk deletes links of a namespace, many for the price of one.
//
// Guarantees:
//
//   - What Delete was given is gone when it returns nil, also what was gone before.
//   - Its sockets are its own: nobody else's requests wait for a deletion.
package bulk

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// doomed is the group of links that are deleted together.
const doomed = 0xbe0d

// Links are those of a namespace. Not safe for concurrent use.
type Links struct {
	*netlink.Handle

	s map[int]*nl.SocketHandle
}

// Open opens the sockets that it takes.
func Open(ns netns.NsHandle) (*Links, error) {
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("bulk: netlink: %w", err)
	}
	s, err := nl.GetNetlinkSocketAt(ns, netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("bulk: netlink: %w", err)
	}
	return &Links{h, map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}}, nil
}

// Close closes them.
func (b *Links) Close() {
	b.Handle.Close()
	b.s[unix.NETLINK_ROUTE].Close()
}

// Delete deletes links; those that are gone already are no error.
func (b *Links) Delete(links []netlink.Link) error {
	if len(links) == 0 {
		return nil
	}
	if len(links) == 1 {
		if err := b.LinkDel(links[0]); err != nil && !isAbsent(err) {
			return fmt.Errorf("bulk: delete link %s: %w", links[0].Attrs().Name, err)
		}
		return nil
	}
	var errs error
	some := false
	for _, l := range links {
		err := b.LinkSetGroup(l, doomed)
		some = some || err == nil
		if err != nil && !isAbsent(err) {
			errs = errors.Join(errs, fmt.Errorf("bulk: delete link %s: %w", l.Attrs().Name, err))
		}
	}
	if !some {
		return errs
	}
	req := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	req.Sockets = b.s
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(doomed)))
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil && !isAbsent(err) {
		errs = errors.Join(errs, fmt.Errorf("bulk: delete links: %w", err))
	}
	return errs
}

func isAbsent(err error) bool {
	var notFound netlink.LinkNotFoundError
	return errors.As(err, &notFound) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT)
}
