package network

import (
	"net/netip"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Registers: reg is the first 16-byte one; word0 and up are its 4-byte parts and those that follow.
const (
	reg   = unix.NFT_REG_1
	word0 = unix.NFT_REG32_00
)

// Offsets in the IPv4 header.
const (
	ipSource      = 12
	ipDestination = 16
)

// exprs joins parts of a rule.
func exprs(parts ...[]expr.Any) []expr.Any {
	var out []expr.Any
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func ifName(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

func metaIs(key expr.MetaKey, op expr.CmpOp, value []byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: reg}, &expr.Cmp{Op: op, Register: reg, Data: value}}
}

func fromLink(name string) []expr.Any {
	return metaIs(expr.MetaKeyIIFNAME, expr.CmpOpEq, ifName(name))
}

func toLink(name string) []expr.Any {
	return metaIs(expr.MetaKeyOIFNAME, expr.CmpOpEq, ifName(name))
}

func notToLink(name string) []expr.Any {
	return metaIs(expr.MetaKeyOIFNAME, expr.CmpOpNeq, ifName(name))
}

// inPrefix matches the address at an offset of the IPv4 header.
func inPrefix(offset uint32, p netip.Prefix) []expr.Any {
	mask := make([]byte, 4)
	for i := range p.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return []expr.Any{
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: p.Masked().Addr().AsSlice()},
	}
}

// toHost matches packets for an address of the machine itself.
func toHost() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: reg, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)},
	}
}

// Bits of a conntrack entry's status and state.
const (
	statusDNAT = 1 << 5
	stateKnown = expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED
)

func ctHas(key expr.CtKey, bits uint32) []expr.Any {
	zero := make([]byte, 4)
	return []expr.Any{
		&expr.Ct{Key: key, Register: reg},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: zero},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: zero},
	}
}

func etherType(t uint16) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseLLHeader, Offset: 12, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: binaryutil.BigEndian.PutUint16(t)},
	}
}

// owner loads link . MAC . address of a frame into one key and matches when that is a known owner.
func owner(macBase expr.PayloadBase, macOffset, ipOffset uint32, set string) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: word0},
		&expr.Payload{DestRegister: word0 + 4, Base: macBase, Offset: macOffset, Len: 6},
		&expr.Payload{DestRegister: word0 + 6, Base: expr.PayloadBaseNetworkHeader, Offset: ipOffset, Len: 4},
		&expr.Lookup{SourceRegister: word0, SetName: set},
	}
}

// toPublished rewrites the destination by the port map; a port that is not in it leaves the packet alone.
func toPublished(set string) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: word0},
		&expr.Payload{DestRegister: word0 + 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Lookup{SourceRegister: word0, DestRegister: word0, IsDestRegSet: true, SetName: set},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: word0, RegProtoMin: word0 + 1, Specified: true},
	}
}

func verdict(k expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: k}} }

func masquerade() []expr.Any { return []expr.Any{&expr.Masq{}} }
