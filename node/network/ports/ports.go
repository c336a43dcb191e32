// Package ports holds the rules of published ports and the book of the host ports an installation uses.
//
// What is guaranteed:
//
//   - A host port has one holder, and while the book holds it no other program can bind it.
//   - Take is all or nothing: a refusal leaves nothing reserved.
//   - Bindings is the inverse of Mappings: what is written into the kernel port by port reads back as what was asked for.
package ports

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// maxPublished bounds what one endpoint can publish: ECS allows 100 port ranges and ports, berth counts single ports.
const maxPublished = 1000

// The protocols that can be published, by number.
const (
	TCP = 6
	UDP = 17
)

// Span is a range of ports, both ends included; the zero span is none.
type Span struct{ First, Last int }

func (s Span) Len() int       { return s.Last - s.First + 1 }
func (s Span) String() string { return strconv.Itoa(s.First) + "-" + strconv.Itoa(s.Last) }

// Wish is a Port after its rules were checked.
type Wish struct {
	Proto      byte
	Containers Span
	Host       Span // zero: dynamic
	Ranged     bool
}

// Parse checks every rule that needs no look at the host.
func Parse(wanted []Port) ([]Wish, error) {
	var out []Wish
	total := 0
	for i, p := range wanted {
		w, err := parsePort(p)
		if err != nil {
			return nil, fmt.Errorf("network: port %d: %w", i+1, err)
		}
		for _, o := range out {
			if o.Proto == w.Proto && o.Host != (Span{}) && o.Host.First <= w.Host.Last && w.Host.First <= o.Host.Last {
				return nil, fmt.Errorf("network: port %d: HostPort %s/%s is asked for twice", i+1, w.Host, ProtoName(w.Proto))
			}
		}
		out, total = append(out, w), total+w.Containers.Len()
	}
	if total > maxPublished {
		return nil, fmt.Errorf("network: %d ports to publish: at most %d", total, maxPublished)
	}
	return out, nil
}

func parsePort(p Port) (w Wish, err error) {
	if w.Proto, err = parseProto(p.Protocol); err != nil {
		return w, err
	}
	if p.ContainerPortRange != "" {
		return parseRange(p, w)
	}
	if p.HostPortRange != "" {
		return w, fmt.Errorf("HostPortRange %q: needs a ContainerPortRange", p.HostPortRange)
	}
	if p.ContainerPort < 1 || p.ContainerPort > 65535 {
		return w, fmt.Errorf("ContainerPort %d: must be between 1 and 65535", p.ContainerPort)
	}
	if p.HostPort < 0 || p.HostPort > 65535 {
		return w, fmt.Errorf("HostPort %d: must be between 0 and 65535", p.HostPort)
	}
	w.Containers = Span{p.ContainerPort, p.ContainerPort}
	w.Host = Span{p.HostPort, p.HostPort}
	return w, nil
}

func parseRange(p Port, w Wish) (Wish, error) {
	if p.ContainerPort != 0 || p.HostPort != 0 {
		return w, fmt.Errorf("ContainerPortRange %q: cannot be combined with ContainerPort or HostPort", p.ContainerPortRange)
	}
	var err error
	w.Ranged = true
	if w.Containers, err = ParseSpan("ContainerPortRange", p.ContainerPortRange); err != nil || p.HostPortRange == "" {
		return w, err
	}
	if w.Host, err = ParseSpan("HostPortRange", p.HostPortRange); err != nil {
		return w, err
	}
	if w.Host.Len() != w.Containers.Len() {
		return w, fmt.Errorf("HostPortRange %s: must be as long as ContainerPortRange %s", w.Host, w.Containers)
	}
	return w, nil
}

// ParseSpan reads "first-last"; the field is named in the error.
func ParseSpan(field, s string) (Span, error) {
	a, b, ok := strings.Cut(s, "-")
	first, err1 := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || first < 1 || last > 65535 || first > last {
		return Span{}, fmt.Errorf(`%s %q: must be "first-last" between 1 and 65535`, field, s)
	}
	return Span{first, last}, nil
}

func parseProto(s string) (byte, error) {
	switch s {
	case "", "tcp":
		return TCP, nil
	case "udp":
		return UDP, nil
	}
	return 0, fmt.Errorf(`protocol %q: must be "tcp" or "udp"`, s)
}

// ProtoName is how ECS writes a protocol.
func ProtoName(p byte) string {
	if p == UDP {
		return "udp"
	}
	return "tcp"
}

// Mapping is one element of the port map: what arrives at the host's port goes to addr:port.
type Mapping struct {
	ID       string
	Proto    byte
	HostPort int
	Addr     netip.Addr
	Port     int
	Span     Span // the container range it belongs to; zero for a single port
}

// Mappings lists what a wish becomes once its host ports are known.
func (w Wish) Mappings(id string, a netip.Addr) []Mapping {
	out := make([]Mapping, 0, w.Containers.Len())
	for i := range w.Containers.Len() {
		e := Mapping{ID: id, Proto: w.Proto, HostPort: w.Host.First + i, Addr: a, Port: w.Containers.First + i}
		if w.Ranged {
			e.Span = w.Containers
		}
		out = append(out, e)
	}
	return out
}

// Bindings is the inverse of Mappings: it names ranges as they were asked for.
func Bindings(elems []Mapping) []Binding {
	type group struct {
		proto  byte
		span   Span
		offset int
	}
	seen := map[group]bool{}
	var out []Binding
	elems = slices.SortedFunc(slices.Values(elems), func(a, b Mapping) int {
		return cmp.Or(cmp.Compare(a.Proto, b.Proto), cmp.Compare(a.HostPort, b.HostPort))
	})
	for _, e := range elems {
		b := Binding{BindIP: "0.0.0.0", Protocol: ProtoName(e.Proto)}
		if e.Span == (Span{}) {
			b.ContainerPort, b.HostPort = e.Port, e.HostPort
			out = append(out, b)
			continue
		}
		g := group{e.Proto, e.Span, e.HostPort - e.Port}
		if seen[g] {
			continue
		}
		seen[g] = true
		b.ContainerPortRange = e.Span.String()
		b.HostPortRange = Span{e.Span.First + g.offset, e.Span.Last + g.offset}.String()
		out = append(out, b)
	}
	return out
}

// Keys lists the host ports of mappings.
func Keys(ms []Mapping) []Key {
	out := make([]Key, len(ms))
	for i, m := range ms {
		out[i] = Key{m.Proto, m.HostPort}
	}
	return out
}

// KeysOf lists the host ports of wishes that Take has filled in.
func KeysOf(ws []Wish) []Key {
	var out []Key
	for _, w := range ws {
		for p := w.Host.First; p <= w.Host.Last; p++ {
			out = append(out, Key{w.Proto, p})
		}
	}
	return out
}
