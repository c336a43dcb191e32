package forward

import (
	"bytes"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/message"
)

// accepted is the answer to a question of ours.
type accepted struct {
	id   uint16
	name []byte
	kind uint16

	m dns.Msg
}

// accept says whether a message is the answer: anybody may send us one.
func (a *accepted) accept(raw []byte) bool {
	var m dns.Msg
	if len(raw) < message.HeaderLen || m.Unpack(raw) != nil {
		return false
	}
	if m.Id != a.id || !m.Response || len(m.Question) != 1 || m.Question[0].Qtype != a.kind || m.Question[0].Qclass != dns.ClassINET {
		return false
	}
	var b [256]byte
	n, err := dns.PackDomainName(m.Question[0].Name, b[:], 0, nil, false)
	if err != nil || !bytes.EqualFold(b[:n], a.name) {
		return false
	}
	a.m = m
	return true
}

// noEDNS says whether the server does not understand EDNS.
func (a *accepted) noEDNS() bool {
	return a.m.Rcode == dns.RcodeFormatError || a.m.Rcode == dns.RcodeNotImplemented || a.m.Rcode == dns.RcodeBadVers
}

// entry is the answer as it is kept: without EDNS, with the question as we wrote it.
func (a *accepted) entry(now time.Time) (*Entry, error) {
	m := &a.m
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return nil, fmt.Errorf("forward: the server says %s", dns.RcodeToString[m.Rcode])
	}
	within(m)
	m.Compress, m.AuthenticatedData, m.Authoritative, m.Truncated = true, false, false, false
	name, _, err := dns.UnpackDomainName(a.name, 0)
	if err != nil {
		return nil, err
	}
	m.Question[0].Name = name
	raw, err := m.Pack()
	if err != nil {
		return nil, err
	}
	s, err := message.Store(raw)
	if err != nil {
		return nil, err
	}
	return &Entry{answer: s, at: now, good: good(m)}, nil
}

// good is how long an answer is.
func good(m *dns.Msg) time.Duration {
	if len(m.Answer) == 0 || m.Rcode == dns.RcodeNameError {
		for _, rr := range m.Ns {
			if soa, ok := rr.(*dns.SOA); ok {
				return min(time.Duration(min(soa.Hdr.Ttl, soa.Minttl))*time.Second, maxNone)
			}
		}
		return 0
	}
	least := maxGood
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			least = min(least, time.Duration(rr.Header().Ttl)*time.Second)
		}
	}
	return least
}
