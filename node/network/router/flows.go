package router

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ends matches the connections of addresses.
type ends map[netip.Addr]bool

func (e ends) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	return e.has(f.Forward.SrcIP) || e.has(f.Forward.DstIP) || e.has(f.Reverse.SrcIP) || e.has(f.Reverse.DstIP)
}

func (e ends) has(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	return ok && e[a.Unmap()]
}

// endFlows forgets the connections of addresses that went: whoever gets one of them next starts anew.
func (v *vpc) endFlows(addrs []netip.Addr) error {
	if len(addrs) == 0 {
		return nil
	}
	e := ends{}
	for _, a := range addrs {
		e[a] = true
	}
	_, err := retryDump(func() (uint, error) { return v.nl.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, e) })
	if err != nil {
		return fmt.Errorf("router: end the connections of addresses that went: %w", err)
	}
	return nil
}
