// Package flows ends connections that the kernel tracks in a namespace.
//
// Guarantees:
//
//   - All that are there when it is called and match have ended when it returns nil.
//   - It costs the same for one address as for many: the kernel goes through its whole table, of all namespaces.
package flows

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Of matches the connections of addresses.
type Of map[netip.Addr]bool

// MatchConntrackFlow implements netlink.CustomConntrackFilter.
func (o Of) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	return slices.ContainsFunc(addrsOf(f), func(a netip.Addr) bool { return o[a] })
}

// Strays matches the connections of addresses that nobody has.
type Strays struct {
	Ranges []netip.Prefix // what is outside is no stray
	Known  map[netip.Addr]bool
}

// MatchConntrackFlow implements netlink.CustomConntrackFilter.
func (s Strays) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	return slices.ContainsFunc(addrsOf(f), func(a netip.Addr) bool {
		return !s.Known[a] && slices.ContainsFunc(s.Ranges, func(p netip.Prefix) bool { return p.Contains(a) })
	})
}

func addrsOf(f *netlink.ConntrackFlow) []netip.Addr {
	out := make([]netip.Addr, 0, 4)
	for _, ip := range []net.IP{f.Forward.SrcIP, f.Forward.DstIP, f.Reverse.SrcIP, f.Reverse.DstIP} {
		if a, ok := netip.AddrFromSlice(ip); ok {
			out = append(out, a.Unmap())
		}
	}
	return out
}

// tries: the kernel asks for another one when its table changed meanwhile.
const tries = 50

// End ends the connections that match in the namespace of a handle.
func End(h *netlink.Handle, which netlink.CustomConntrackFilter) (err error) {
	for range tries {
		_, err = h.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, which)
		if err == nil {
			return nil
		}
		if !errors.Is(err, netlink.ErrDumpInterrupted) && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			break
		}
	}
	return fmt.Errorf("flows: end connections: %w", err)
}
