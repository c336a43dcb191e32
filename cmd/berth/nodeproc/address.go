package nodeproc

import (
	"net"
	"net/netip"

	"github.com/berth-ecs/berth/internal/config"
)

// machineAddress is the address that was given, else the one that this machine has on the way to others, the zero Addr for one that has no way. Nothing is sent: to connect
// a socket of UDP only chooses a route.
func machineAddress(s config.Settings) netip.Addr {
	if s.NodeAddress.IsValid() {
		return s.NodeAddress
	}
	c, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 9})
	if err != nil {
		return netip.Addr{}
	}
	defer func() { _ = c.Close() }()
	a, _ := netip.AddrFromSlice(c.LocalAddr().(*net.UDPAddr).IP)
	return a.Unmap()
}

// overlayAddress is machineAddress for VPCs that span machines: nobody reaches a machine at an address of itself alone.
func overlayAddress(s config.Settings) netip.Addr {
	a := machineAddress(s)
	if a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() {
		return netip.Addr{}
	}
	return a.WithZone("")
}
