package path

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/berth-ecs/berth/vpc"
)

// Protocols that can be asked for.
const (
	ICMP = 1
	TCP  = 6
	UDP  = 17
)

// Query is a connection: From asks To at a port. For ICMP it is an echo.
type Query struct {
	From, To   End
	Protocol   int32
	Port       int32 // of To
	SourcePort int32 // that the client chose; 0 for any of 1024 to 65535
}

// End is an interface with one of its private addresses, or an address of nobody here.
type End struct {
	Interface *vpc.Interface
	Addr      netip.Addr
}

// String names an end.
func (e End) String() string {
	if e.Interface == nil {
		return e.Addr.String()
	}
	return fmt.Sprintf("%s (%s)", e.Addr, e.Interface.ID)
}

// Hop is one thing that a packet meets.
type Hop struct {
	Way  string `json:"way"` // "out", "in" at the destination, or "back"
	At   string `json:"at"`  // what it meets: id of a group, ACL, route table, gateway or interface
	Rule string `json:"rule,omitempty"`
	Open bool   `json:"open"`
	Text string `json:"text"`
}

// Trace is the way of a packet as far as it comes.
type Trace struct {
	Open    bool   `json:"open"`
	Verdict string `json:"verdict"`
	Hops    []Hop  `json:"hops"`
}

// Text writes a trace for people.
func (t Trace) Text() string {
	var b strings.Builder
	for _, h := range t.Hops {
		mark := "ok  "
		if !h.Open {
			mark = "DROP"
		}
		fmt.Fprintf(&b, "%-4s  %s  %s\n", h.Way, mark, h.Text)
	}
	fmt.Fprintln(&b, t.Verdict)
	return b.String()
}

func protocolName(p int32) string {
	switch p {
	case -1:
		return "all"
	case ICMP:
		return "icmp"
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case 58:
		return "icmpv6"
	}
	return fmt.Sprintf("protocol %d", p)
}

func (q Query) String() string {
	to := fmt.Sprintf("%s port %d", protocolName(q.Protocol), q.Port)
	if q.Protocol == ICMP {
		to = "icmp echo"
	}
	return fmt.Sprintf("%s from %s to %s", to, q.From, q.To)
}

func matchText(m vpc.Match) string {
	name := protocolName(m.Protocol)
	switch {
	case m.Protocol == TCP || m.Protocol == UDP:
		switch {
		case m.From < 0 || m.To < 0 || m.From == 0 && m.To == 65535:
		case m.From == m.To:
			name += fmt.Sprintf(" %d", m.From)
		default:
			name += fmt.Sprintf(" %d-%d", m.From, m.To)
		}
	case (m.Protocol == ICMP || m.Protocol == 58) && m.From >= 0:
		name += fmt.Sprintf(" type %d", m.From)
		if m.To >= 0 {
			name += fmt.Sprintf(" code %d", m.To)
		}
	}
	return name
}
