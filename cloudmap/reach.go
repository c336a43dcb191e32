package cloudmap

import "net/netip"

// Reachable says whether health checks go to an address: as on AWS to public ones only, which the installation's pool is made of too.
func Reachable(a netip.Addr, pool netip.Prefix) bool {
	a = a.Unmap()
	return pool.IsValid() && pool.Contains(a) || a.IsGlobalUnicast() && !a.IsPrivate()
}
