package vpc

import (
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"strconv"
	"time"
)

// RestTime is how long a freed address is not given to anybody else while there are others.
const RestTime = time.Minute

// reservedFirst is how many addresses at a subnet's beginning are not for interfaces: the network's, the router's, the resolver's, and one for
// what AWS may think of. The last one, the broadcast address, is not for them either.
const reservedFirst = 4

// Usable is the first address of a subnet that an interface may have, and how many there are from it on.
func Usable(cidr netip.Prefix) (first netip.Addr, n uint64) {
	size := uint64(1) << (32 - cidr.Bits())
	if size <= reservedFirst+1 {
		return netip.Addr{}, 0
	}
	return Nth(cidr.Masked().Addr(), reservedFirst), size - reservedFirst - 1
}

// Nth is the IPv4 address that many after another.
func Nth(a netip.Addr, n uint64) netip.Addr {
	b := a.As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(n))
	return netip.AddrFrom4(b)
}

// Reserved says whether an address of a subnet is not for interfaces.
func Reserved(cidr netip.Prefix, a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	first, n := Usable(cidr)
	return n == 0 || a.Less(first) || Nth(first, n-1).Less(a)
}

// Walk visits every number below n once, in an order that hex (an identifier of a transaction) decides, so that those who look for something
// free at the same time do not look at the same one, and find it after n/free steps on average however the rest is spread.
func Walk(hex string, n uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		if n == 0 {
			return
		}
		at, step := number(hex[:16])%n, number(hex[16:32])%n
		for gcd(step, n) != 1 {
			step++
		}
		for range n {
			if !yield(at) {
				return
			}
			at = (at + step) % n
		}
	}
}

func number(hex string) uint64 {
	n, err := strconv.ParseUint(hex, 16, 64)
	if err != nil {
		panic(fmt.Sprintf("vpc: %q is not an identifier", hex))
	}
	return n
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// MAC is the hardware address of the interface with a primary address in the VPC of a number. No two interfaces of a VPC have the same one,
// because no two have the same primary address; the next owner of the address most likely has another, by its identifier.
func MAC(net uint32, primary netip.Addr, hex string) string {
	ip := primary.As4()
	// An odd factor and an exclusive or map the addresses one to one.
	mixed := binary.BigEndian.Uint32(ip[:])*2654435761 ^ net*2246822519
	return fmt.Sprintf("0a:%s:%02x:%02x:%02x:%02x", hex[:2], byte(mixed>>24), byte(mixed>>16), byte(mixed>>8), byte(mixed))
}

// Address6 is an IPv6 address of a block that hex decides.
func Address6(block netip.Prefix, hex string) netip.Addr {
	b := block.Masked().Addr().As16()
	var host [16]byte
	binary.BigEndian.PutUint64(host[:8], number(hex[:16]))
	binary.BigEndian.PutUint64(host[8:], number(hex[16:32]))
	for i := range b {
		keep := min(8, max(0, block.Bits()-8*i))
		b[i] |= host[i] & (0xff >> keep)
	}
	return netip.AddrFrom16(b)
}
