package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/google/nftables"

	"github.com/berth-ecs/berth/node/network/ports"
)

var errElement = errors.New("not one of our elements")

func keyOf(p ports.Mapping) []byte {
	k := make([]byte, 8)
	k[0] = p.Proto
	binary.BigEndian.PutUint16(k[4:], uint16(p.HostPort))
	return k
}

// elementOf says in its comment whose it is, so that the kernel alone is enough to rebuild an endpoint.
func elementOf(p ports.Mapping) nftables.SetElement {
	v := make([]byte, 8)
	copy(v, p.Addr.AsSlice())
	binary.BigEndian.PutUint16(v[4:], uint16(p.Port))
	comment := p.ID
	if p.Span != (ports.Span{}) {
		comment += " " + p.Span.String()
	}
	return nftables.SetElement{Key: keyOf(p), Val: v, Comment: comment}
}

func parsePublished(e nftables.SetElement) (ports.Mapping, error) {
	if len(e.Key) < 8 || len(e.Val) < 8 {
		return ports.Mapping{}, errElement
	}
	addr, _ := netip.AddrFromSlice(e.Val[:4])
	p := ports.Mapping{
		Proto: e.Key[0], HostPort: int(binary.BigEndian.Uint16(e.Key[4:])),
		Addr: addr, Port: int(binary.BigEndian.Uint16(e.Val[4:])),
	}
	id, ranged, ok := strings.Cut(e.Comment, " ")
	p.ID = id
	if ok {
		var err error
		if p.Span, err = ports.ParseSpan("comment", ranged); err != nil {
			return ports.Mapping{}, fmt.Errorf("%w: %w", errElement, err)
		}
	}
	return p, nil
}

// sender is one element of the owner set: what may come out of a bridge port.
type sender struct {
	link string
	mac  net.HardwareAddr
	addr netip.Addr
}

func (s sender) element() nftables.SetElement {
	k := make([]byte, 28)
	copy(k, s.link)
	copy(k[16:], s.mac)
	copy(k[24:], s.addr.AsSlice())
	return nftables.SetElement{Key: k}
}

func parseSender(e nftables.SetElement) (sender, error) {
	if len(e.Key) < 28 {
		return sender{}, errElement
	}
	addr, _ := netip.AddrFromSlice(e.Key[24:28])
	return sender{link: strings.TrimRight(string(e.Key[:16]), "\x00"), mac: net.HardwareAddr(e.Key[16:22]), addr: addr}, nil
}

// keysOnly is how elements are named for deletion.
func keysOnly(elems []nftables.SetElement) []nftables.SetElement {
	out := make([]nftables.SetElement, len(elems))
	for i, e := range elems {
		out[i] = nftables.SetElement{Key: e.Key}
	}
	return out
}

// readPublished dumps the port map; elements that are not ours are skipped.
func (r *ruleset) readPublished() ([]ports.Mapping, error) {
	elems, err := readSet(r.publish)
	if err != nil {
		return nil, err
	}
	var out []ports.Mapping
	for _, e := range elems {
		if p, err := parsePublished(e); err == nil {
			out = append(out, p)
		}
	}
	return out, nil
}

func (r *ruleset) readSenders() ([]sender, error) {
	elems, err := readSet(r.owners)
	if err != nil {
		return nil, err
	}
	var out []sender
	for _, e := range elems {
		if s, err := parseSender(e); err == nil {
			out = append(out, s)
		}
	}
	return out, nil
}

func readSet(s *nftables.Set) ([]nftables.SetElement, error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("network: nftables: %w", err)
	}
	elems, err := retryDump(func() ([]nftables.SetElement, error) { return conn.GetSetElements(s) })
	if err != nil {
		return nil, fmt.Errorf("network: read nftables set %s: %w", s.Name, err)
	}
	return elems, nil
}
