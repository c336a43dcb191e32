package forward

import (
	"slices"

	"github.com/miekg/dns"
)

// within takes out of an answer what was not asked for: a server may say what it likes of names that are not its to tell of, and who reads the
// answer may keep it. What stays is the records of the name and of those that it stands for, what the zones above them say, and the addresses of
// names that those records name.
func within(m *dns.Msg) {
	chain := map[string]bool{dns.CanonicalName(m.Question[0].Name): true}
	for range m.Answer { // they may come in any order
		for _, rr := range m.Answer {
			if c, ok := rr.(*dns.CNAME); ok && chain[dns.CanonicalName(c.Hdr.Name)] {
				chain[dns.CanonicalName(c.Target)] = true
			}
		}
	}
	above := func(owner string) bool {
		for name := range chain {
			if dns.IsSubDomain(owner, name) {
				return true
			}
		}
		return false
	}
	m.Answer = slices.DeleteFunc(m.Answer, func(rr dns.RR) bool {
		h := rr.Header()
		beside := h.Rrtype == dns.TypeDNAME || h.Rrtype == dns.TypeRRSIG
		return !chain[dns.CanonicalName(h.Name)] && (!beside || !above(h.Name))
	})
	m.Ns = slices.DeleteFunc(m.Ns, func(rr dns.RR) bool {
		switch h := rr.Header(); h.Rrtype {
		case dns.TypeNSEC, dns.TypeNSEC3, dns.TypeRRSIG: // proofs: of names beside
			return false
		default:
			return !above(h.Name)
		}
	})
	named := map[string]bool{}
	for _, rr := range slices.Concat(m.Answer, m.Ns) {
		named[target(rr)] = true
	}
	m.Extra = slices.DeleteFunc(m.Extra, func(rr dns.RR) bool {
		k := rr.Header().Rrtype
		return k == dns.TypeOPT || k == dns.TypeTSIG || !named[dns.CanonicalName(rr.Header().Name)]
	})
}

// target is the name whose addresses go with a record; empty for none.
func target(rr dns.RR) string {
	switch r := rr.(type) {
	case *dns.NS:
		return dns.CanonicalName(r.Ns)
	case *dns.MX:
		return dns.CanonicalName(r.Mx)
	case *dns.SRV:
		return dns.CanonicalName(r.Target)
	}
	return ""
}
