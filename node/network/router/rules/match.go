package rules

import (
	"encoding/binary"
	"net/netip"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/router/ruleset"
)

// reg is the first 16-byte register; word0 and up are 4-byte ones, of which the first four are its parts.
const (
	reg   = unix.NFT_REG_1
	word0 = unix.NFT_REG32_00
)

// Offsets in the IPv4 header.
const (
	source      = 12
	destination = 16
)

const (
	tcp  = unix.IPPROTO_TCP
	udp  = unix.IPPROTO_UDP
	icmp = unix.IPPROTO_ICMP
)

// rule joins the parts of a rule.
func rule(parts ...[]expr.Any) ruleset.Rule {
	var out ruleset.Rule
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func is(value []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: value} }

func metaIs(key expr.MetaKey, value []byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: reg}, is(value)}
}

func from(link string) []expr.Any { return metaIs(expr.MetaKeyIIFNAME, linkName(link)) }
func to(link string) []expr.Any   { return metaIs(expr.MetaKeyOIFNAME, linkName(link)) }

func notFrom(link string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: reg}, &expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: linkName(link)}}
}

// FromPrefixed matches packets that came by a link whose name begins so: a comparison shorter than the name is one of prefixes.
func FromPrefixed(prefix string) []expr.Any { return metaIs(expr.MetaKeyIIFNAME, []byte(prefix)) }

// ToPrefixed matches packets that leave by such a link.
func ToPrefixed(prefix string) []expr.Any { return metaIs(expr.MetaKeyOIFNAME, []byte(prefix)) }

func linkName(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

// within matches the address at an offset of the IPv4 header.
func within(offset uint32, p netip.Prefix) []expr.Any {
	load := &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4}
	p = p.Masked()
	switch p.Bits() {
	case 0:
		return nil
	case 8, 16, 32: // as many bytes as the kernel has a fast path for
		load.Len = uint32(p.Bits() / 8)
		return []expr.Any{load, is(p.Addr().AsSlice()[:load.Len])}
	}
	mask := make([]byte, 4)
	for i := range p.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return []expr.Any{load, &expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: mask, Xor: make([]byte, 4)}, is(p.Addr().AsSlice())}
}

// toSelf matches packets for an address of the namespace.
func toSelf() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: reg, FlagDADDR: true, ResultADDRTYPE: true},
		is(binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)),
	}
}

// Bits of a conntrack entry's status and state.
const (
	statusSNAT = 1 << 4
	statusDNAT = 1 << 5
	known      = expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED
)

// ct matches packets of whose connection one of the bits is set.
func ct(key expr.CtKey, bits uint32) []expr.Any { return ctBits(key, bits, expr.CmpOpNeq) }

func ctBits(key expr.CtKey, bits uint32, op expr.CmpOp) []expr.Any {
	zero := make([]byte, 4)
	return []expr.Any{
		&expr.Ct{Key: key, Register: reg},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: zero},
		&expr.Cmp{Op: op, Register: reg, Data: zero},
	}
}

func established() []expr.Any { return ct(expr.CtKeySTATE, known) }

func verdict(k expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: k}} }

var (
	accept = verdict(expr.VerdictAccept)
	drop   = verdict(expr.VerdictDrop)
	leave  = verdict(expr.VerdictReturn)
)

func jump(chain string) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: chain}}
}
func goTo(chain string) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictGoto, Chain: chain}}
}

// choose looks the loaded key up in a map of verdicts; what is not in it goes on with the next rule.
func choose(set string) expr.Any {
	return &expr.Lookup{SourceRegister: word0, DestRegister: unix.NFT_REG_VERDICT, IsDestRegSet: true, SetName: set}
}

func member(set string) expr.Any { return &expr.Lookup{SourceRegister: word0, SetName: set} }

func loadAddr(register, offset uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4}
}

func loadTransport(register, offset uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2}
}

func loadProto(register uint32) expr.Any {
	return &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register}
}

// Mark is the mark that stands for an address: the number one reads in it.
func Mark(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func markBytes(m uint32) []byte { return binaryutil.NativeEndian.PutUint32(m) }

func setMark(m uint32) []expr.Any {
	return []expr.Any{&expr.Immediate{Register: reg, Data: markBytes(m)}, &expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: reg}}
}

// be16 is two bytes and the padding that concatenations have.
func be16(v int) string { return string([]byte{byte(v >> 8), byte(v), 0, 0}) }

func byte4(v int) string { return string([]byte{byte(v), 0, 0, 0}) }

func addr4(a netip.Addr) string { return string(a.AsSlice()) }
