package network

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

const (
	protoTCP = 6
	protoUDP = 17
)

// span is a range of ports, both ends included; the zero span is none.
type span struct{ first, last int }

func (s span) len() int       { return s.last - s.first + 1 }
func (s span) String() string { return strconv.Itoa(s.first) + "-" + strconv.Itoa(s.last) }

// wish is a Port after its rules were checked.
type wish struct {
	proto      byte
	containers span
	host       span // zero: dynamic
	ranged     bool
}

// parsePorts checks every rule that needs no look at the host.
func parsePorts(ports []Port) ([]wish, error) {
	var out []wish
	total := 0
	for i, p := range ports {
		w, err := parsePort(p)
		if err != nil {
			return nil, fmt.Errorf("network: port %d: %w", i+1, err)
		}
		for _, o := range out {
			if o.proto == w.proto && o.host != (span{}) && o.host.first <= w.host.last && w.host.first <= o.host.last {
				return nil, fmt.Errorf("network: port %d: HostPort %s/%s is asked for twice", i+1, w.host, protoName(w.proto))
			}
		}
		out, total = append(out, w), total+w.containers.len()
	}
	if total > maxPublished {
		return nil, fmt.Errorf("network: %d ports to publish: at most %d", total, maxPublished)
	}
	return out, nil
}

func parsePort(p Port) (w wish, err error) {
	if w.proto, err = parseProto(p.Protocol); err != nil {
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
	w.containers = span{p.ContainerPort, p.ContainerPort}
	w.host = span{p.HostPort, p.HostPort}
	return w, nil
}

func parseRange(p Port, w wish) (wish, error) {
	if p.ContainerPort != 0 || p.HostPort != 0 {
		return w, fmt.Errorf("ContainerPortRange %q: cannot be combined with ContainerPort or HostPort", p.ContainerPortRange)
	}
	var err error
	w.ranged = true
	if w.containers, err = parseSpan("ContainerPortRange", p.ContainerPortRange); err != nil || p.HostPortRange == "" {
		return w, err
	}
	if w.host, err = parseSpan("HostPortRange", p.HostPortRange); err != nil {
		return w, err
	}
	if w.host.len() != w.containers.len() {
		return w, fmt.Errorf("HostPortRange %s: must be as long as ContainerPortRange %s", w.host, w.containers)
	}
	return w, nil
}

func parseSpan(field, s string) (span, error) {
	a, b, ok := strings.Cut(s, "-")
	first, err1 := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || first < 1 || last > 65535 || first > last {
		return span{}, fmt.Errorf(`%s %q: must be "first-last" between 1 and 65535`, field, s)
	}
	return span{first, last}, nil
}

func parseProto(s string) (byte, error) {
	switch s {
	case "", "tcp":
		return protoTCP, nil
	case "udp":
		return protoUDP, nil
	}
	return 0, fmt.Errorf(`Protocol %q: must be "tcp" or "udp"`, s)
}

func protoName(p byte) string {
	if p == protoUDP {
		return "udp"
	}
	return "tcp"
}

// published is one element of the port map: what arrives at the host's port goes to addr:port.
type published struct {
	id       string
	proto    byte
	hostPort int
	addr     netip.Addr
	port     int
	span     span // the container range it belongs to; zero for a single port
}

// elements lists what a wish becomes once its host ports are known.
func (w wish) elements(id string, a netip.Addr) []published {
	out := make([]published, 0, w.containers.len())
	for i := range w.containers.len() {
		e := published{id: id, proto: w.proto, hostPort: w.host.first + i, addr: a, port: w.containers.first + i}
		if w.ranged {
			e.span = w.containers
		}
		out = append(out, e)
	}
	return out
}

// bindings is the inverse of elements: it names ranges as they were asked for.
func bindings(elems []published) []Binding {
	type group struct {
		proto  byte
		span   span
		offset int
	}
	seen := map[group]bool{}
	var out []Binding
	elems = slices.SortedFunc(slices.Values(elems), func(a, b published) int {
		return cmp.Or(cmp.Compare(a.proto, b.proto), cmp.Compare(a.hostPort, b.hostPort))
	})
	for _, e := range elems {
		b := Binding{BindIP: "0.0.0.0", Protocol: protoName(e.proto)}
		if e.span == (span{}) {
			b.ContainerPort, b.HostPort = e.port, e.hostPort
			out = append(out, b)
			continue
		}
		g := group{e.proto, e.span, e.hostPort - e.port}
		if seen[g] {
			continue
		}
		seen[g] = true
		b.ContainerPortRange = e.span.String()
		b.HostPortRange = span{e.span.first + g.offset, e.span.last + g.offset}.String()
		out = append(out, b)
	}
	return out
}
