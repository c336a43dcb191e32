package permission

import (
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/vpc"
)

// Protocols that have ports or types.
const (
	all    = -1
	icmp   = 1
	tcp    = 6
	udp    = 17
	icmpv6 = 58
)

var protocols = map[string]int32{"all": all, "icmp": icmp, "tcp": tcp, "udp": udp, "icmpv6": icmpv6}

// protocol reads a name or a number.
func protocol(s string) (int32, error) {
	if n, ok := protocols[strings.ToLower(s)]; ok {
		return n, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < all || n > 255 {
		return 0, invalid("Invalid value '%s' for IP protocol. Unknown protocol.", s)
	}
	return int32(n), nil
}

// Protocol is a protocol as EC2 answers it: the four that have ports or types by name, the others by number.
func Protocol(n int32) string {
	switch n {
	case icmp:
		return "icmp"
	case tcp:
		return "tcp"
	case udp:
		return "udp"
	case icmpv6:
		return "icmpv6"
	}
	return strconv.Itoa(int(n))
}

// HasPorts says whether a protocol has ports or types.
func HasPorts(protocol int32) bool {
	return protocol == icmp || protocol == tcp || protocol == udp || protocol == icmpv6
}

// MatchOf reads a protocol and a range: ports that the protocol does not have are ignored.
func MatchOf(name string, from, to *int32) (vpc.Match, error) {
	p, err := protocol(name)
	m := vpc.Match{Protocol: p, From: -1, To: -1}
	if err != nil || !HasPorts(p) {
		return m, err
	}
	if p == icmpv6 && from == nil && to == nil {
		return m, nil
	}
	if from == nil || to == nil {
		kind := "TCP/UDP"
		if p == icmp || p == icmpv6 {
			kind = "ICMP"
		}
		return m, invalid("Invalid value 'Must specify both from and to ports with %s.' for portRange.", kind)
	}
	m.From, m.To = *from, *to
	if p == icmp || p == icmpv6 {
		return m, checkICMP(m)
	}
	switch {
	case m.From < 0 || m.From > 65535:
		return m, invalid("TCP/UDP (from) port (%d) out of range", m.From)
	case m.To < 0 || m.To > 65535:
		return m, invalid("TCP/UDP (to) port (%d) out of range", m.To)
	case m.From > m.To:
		return m, invalid("Invalid TCP/UDP port range (%d:%d)", m.From, m.To)
	}
	return m, nil
}

func checkICMP(m vpc.Match) error {
	switch {
	case m.From < -1 || m.From > 255:
		return invalid("ICMP type (%d) not in range -1 to 255.", m.From)
	case m.To < -1 || m.To > 255:
		return invalid("ICMP code (%d) not in range -1 to 255.", m.To)
	case m.From == -1 && m.To != -1:
		return invalid("ICMP code (%d) must be -1 if the ICMP type is -1.", m.To)
	}
	return nil
}
