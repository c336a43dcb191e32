package view

import (
	"bytes"
	"net/netip"
	"strconv"

	"github.com/berth-ecs/berth/node/dns/message"
)

// local is the part of the name space, one that is answered without zones, that a name is in.
type local struct {
	zone []byte // nil for none
	kind localKind
	addr netip.Addr // of a whole reverse name
	some bool       // of a part of one: the VPC has addresses below it
}

type localKind int

const (
	ofInterfaces localKind = iota + 1
	ofLocalhost
	ofAddress // reverse
)

var (
	localhost = []byte("\x09localhost\x00")
	arpa4     = []byte("\x07in-addr\x04arpa\x00")
	arpa6     = []byte("\x03ip6\x04arpa\x00")
)

// find finds the part of the name space that a name is in.
func (n *names) find(name []byte) local {
	first := parent(name)
	switch {
	case bytes.Equal(first, n.domain), under(name, n.domain):
		return local{zone: n.domain, kind: ofInterfaces}
	case under(name, localhost):
		return local{zone: localhost, kind: ofLocalhost}
	case under(name, arpa4):
		return n.reverse(name)
	case under(name, arpa6):
		return n.reverse6Of(name)
	}
	return local{}
}

// under says whether a name is a zone's name or below it.
func under(name, zone []byte) bool {
	if !bytes.HasSuffix(name, zone) {
		return false
	}
	for len(name) > len(zone) {
		name = parent(name)
	}
	return len(name) == len(zone)
}

// own answers by the VPC itself.
func (p *vpc) own(l local, name []byte, kind uint16, a *Answer) look {
	nothing := look{zone: l.zone, soa: p.names.soa, negative: ownTTL}
	if len(name) == len(l.zone) && kind == message.TypeSOA {
		return look{kind: kind, ttl: ownTTL, data: p.names.soa}
	}
	there := false
	switch l.kind {
	case ofInterfaces:
		addr, ok := dashed(name, "ip-")
		there = len(name) == len(l.zone) || ok && len(parent(name)) == len(l.zone) && p.names.has(addr)
		if there && ok && kind == message.TypeA {
			return a.address(addr)
		}
	case ofLocalhost:
		there = true
		switch kind {
		case message.TypeA:
			return a.address(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
		case message.TypeAAAA:
			return a.address(netip.IPv6Loopback())
		}
	case ofAddress:
		there = l.some || l.addr.IsLoopback() || p.names.has(l.addr)
		if there && l.addr.IsValid() && kind == message.TypePTR {
			return p.names.pointer(l.addr, a)
		}
	}
	if !there {
		nothing.rcode = message.NameError
	}
	return nothing
}

// has says whether an address is the VPC's. Every address of its ranges has a name, whether an interface has it or not.
func (n *names) has(a netip.Addr) bool {
	for _, c := range n.cidrs {
		if c.Contains(a) {
			return true
		}
	}
	return false
}

func (a *Answer) address(addr netip.Addr) look {
	if addr.Is4() {
		b := a.space(4)
		four := addr.As4()
		copy(b, four[:])
		return look{kind: message.TypeA, ttl: ownTTL, data: b}
	}
	b := a.space(16)
	all := addr.As16()
	copy(b, all[:])
	return look{kind: message.TypeAAAA, ttl: ownTTL, data: b}
}

// pointer is the name of an address.
func (n *names) pointer(addr netip.Addr, a *Answer) look {
	if addr.IsLoopback() {
		return look{kind: message.TypePTR, ttl: ownTTL, data: localhost}
	}
	const longest = len("ip-255-255-255-255")
	b := a.space(1 + longest + len(n.domain))
	out := append(b[:1], "ip-"...)
	for i, octet := range addr.As4() {
		if i > 0 {
			out = append(out, '-')
		}
		out = strconv.AppendUint(out, uint64(octet), 10)
	}
	out[0] = byte(len(out) - 1)
	return look{kind: message.TypePTR, ttl: ownTTL, data: append(out, n.domain...)}
}

// outside answers the name of a public address: inside the VPC it is the private one's, elsewhere on this machine the address itself.
func (p *vpc) outside(v *View, name []byte, kind uint16, a *Answer) look {
	addr, ok := dashed(name, "ec2-")
	if !ok {
		return look{elsewhere: true}
	}
	key := a.space(4)
	four := addr.As4()
	copy(key, four[:])
	if private, ok := p.public.Get(key); ok {
		addr = private
	} else if _, ok := v.known.Get(key); !ok {
		return look{elsewhere: true}
	}
	if kind != message.TypeA && kind != message.TypeANY {
		return look{zone: p.names.outside, soa: p.names.soa, negative: ownTTL}
	}
	return a.address(addr)
}

// dashed reads the address in a name's first label. There is one way to write each.
func dashed(name []byte, prefix string) (netip.Addr, bool) {
	label := name[1:max(1, 1+int(name[0]))]
	if len(label) <= len(prefix) || string(label[:len(prefix)]) != prefix {
		return netip.Addr{}, false
	}
	var four [4]byte
	rest := label[len(prefix):]
	for i := range four {
		if i > 0 {
			if len(rest) == 0 || rest[0] != '-' {
				return netip.Addr{}, false
			}
			rest = rest[1:]
		}
		var ok bool
		if four[i], rest, ok = octet(rest); !ok {
			return netip.Addr{}, false
		}
	}
	return netip.AddrFrom4(four), len(rest) == 0
}

// octet reads a number from 0 to 255 without zeros before it.
func octet(b []byte) (n byte, rest []byte, ok bool) {
	value, i := 0, 0
	for ; i < len(b) && i < 3 && '0' <= b[i] && b[i] <= '9'; i++ {
		value = value*10 + int(b[i]-'0')
	}
	if i == 0 || value > 255 || i > 1 && b[0] == '0' {
		return 0, nil, false
	}
	return byte(value), b[i:], true
}
