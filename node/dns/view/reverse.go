package view

import "net/netip"

// maxLabels is how many labels a name can have.
const maxLabels = 128

// What is answered here of in-addr.arpa whatever the VPC's ranges are: private, link-local and loopback addresses.
var reversed = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("127.0.0.0/8"),
}

// And of ip6.arpa: "::", "::1", unique local and link-local addresses.
var reversed6 = [][]byte{
	reverse6(netip.MustParsePrefix("::/128")), reverse6(netip.MustParsePrefix("::1/128")), reverse6(netip.MustParsePrefix("fd00::/8")),
	reverse6(netip.MustParsePrefix("fe80::/12")), reverse6(netip.MustParsePrefix("fe90::/12")),
	reverse6(netip.MustParsePrefix("fea0::/12")), reverse6(netip.MustParsePrefix("feb0::/12")),
}

// reverse reads a name below in-addr.arpa.
func (n *names) reverse(name []byte) local {
	var starts [maxLabels]int // of labels
	count := 0
	for at := 0; name[at] != 0; at += 1 + int(name[at]) {
		starts[count] = at
		count++
	}
	count -= 2 // in-addr.arpa
	var four [4]byte
	octets := 0
	for ; octets < min(count, 4); octets++ {
		start := starts[count-1-octets]
		value, rest, ok := octet(name[start+1 : start+1+int(name[start])])
		if !ok || len(rest) > 0 {
			break
		}
		four[octets] = value
	}
	prefix := netip.PrefixFrom(netip.AddrFrom4(four), 8*octets)
	bits, some := n.covers(prefix)
	if bits < 0 {
		return local{}
	}
	l := local{zone: name[starts[count-max(1, (bits+7)/8)]:], kind: ofAddress}
	switch {
	case octets == 4 && count == 4:
		l.addr = prefix.Addr()
	case octets == count:
		l.some = some
	}
	return l
}

// covers answers the bits of the range that all of a prefix is in, and whether some of it is the VPC's; -1 for none.
func (n *names) covers(p netip.Prefix) (bits int, some bool) {
	bits = -1
	for _, r := range reversed {
		if r.Bits() <= p.Bits() && r.Contains(p.Addr()) {
			bits = r.Bits()
		}
	}
	for _, c := range n.cidrs {
		some = some || c.Overlaps(p)
		if bits < 0 && c.Bits() <= p.Bits() && c.Contains(p.Addr()) {
			bits = c.Bits()
		}
	}
	return bits, some
}

// reverse6Of reads a name below ip6.arpa. Addresses there have no names of their own.
func (n *names) reverse6Of(name []byte) local {
	for _, all := range [][][]byte{reversed6, n.reverse6} {
		for _, zone := range all {
			if under(name, zone) {
				return local{zone: zone, kind: ofAddress, some: len(name) == len(zone)}
			}
		}
	}
	return local{}
}
