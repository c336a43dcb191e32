package vpc

import (
	"encoding/hex"
	"net/netip"
	"slices"
)

// Bounds of the ranges of VPCs and subnets.
const (
	largestBlock  = 16
	smallestBlock = 28
)

// unusable are ranges in which no interface can be.
var unusable = prefixes("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")

// ValidBlock says whether a VPC or a subnet may have a range.
func ValidBlock(p netip.Prefix) bool {
	return p.Bits() >= largestBlock && p.Bits() <= smallestBlock && !slices.ContainsFunc(unusable, p.Overlaps)
}

// private are the ranges that AWS keeps apart: a VPC whose first range is in one of them gets no other out of another of them.
var private = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.19.0.0/16")

// MayJoin says whether a VPC may get another range beside its first one.
func MayJoin(primary, more netip.Prefix) bool {
	return !slices.ContainsFunc(private, func(p netip.Prefix) bool { return p.Overlaps(more) && !p.Overlaps(primary) })
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// Lengths of IPv6 ranges.
const (
	VPCBits6    = 56
	SubnetBits6 = 64
)

// Local6 is a /56 out of the local IPv6 addresses that an identifier decides.
func Local6(id string) netip.Prefix {
	b := [16]byte{0: 0xfd}
	if _, err := hex.Decode(b[1:7], []byte(id[:12])); err != nil {
		panic("vpc: " + id + " is not an identifier")
	}
	return netip.PrefixFrom(netip.AddrFrom16(b), VPCBits6)
}

// Contains says whether one of a VPC's ranges holds a whole range.
func Contains(blocks []Block, p netip.Prefix) bool {
	return slices.ContainsFunc(blocks, func(b Block) bool { return b.CIDR.Bits() <= p.Bits() && b.CIDR.Contains(p.Addr()) })
}
