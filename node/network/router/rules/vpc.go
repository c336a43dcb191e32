package rules

import (
	"net/netip"

	"github.com/berth-ecs/berth/nodeconf"
)

// Resolver is the address of a VPC's resolver: the primary range's base plus two.
func Resolver(v nodeconf.VPC) netip.Addr {
	if len(v.CIDRs) == 0 || !v.CIDRs[0].Addr().Is4() {
		return netip.Addr{}
	}
	return v.CIDRs[0].Masked().Addr().Next().Next()
}
