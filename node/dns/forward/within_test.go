package forward

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// A server that tells of names that nobody asked it about tells nobody.
func TestWithin(t *testing.T) {
	m := new(dns.Msg)
	m.SetQuestion("WWW.example.com.", dns.TypeA)
	parse := func(lines ...string) (out []dns.RR) {
		for _, l := range lines {
			rr, err := dns.NewRR(l)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, rr)
		}
		return out
	}
	m.Answer = parse("web.example.net. 60 IN A 192.0.2.7", "bank.example. 60 IN A 203.0.113.66", "www.example.com. 60 IN CNAME edge.example.org.", "edge.example.org. 60 IN CNAME Web.example.net.",
		"example.net. 60 IN A 203.0.113.66", "prod.local. 60 IN CNAME web.example.net.")
	m.Ns = parse("example.net. 60 IN NS ns1.example.net.", "net. 60 IN NS a.gtld.example.", "bank.example. 60 IN NS ns.evil.example.", "x.www.example.com. 60 IN NS ns.evil.example.")
	m.Extra = parse("ns1.example.net. 60 IN A 192.0.2.53", "a.gtld.example. 60 IN A 192.0.2.54", "ns.evil.example. 60 IN A 203.0.113.66", "bank.example. 60 IN A 203.0.113.66")
	m.SetEdns0(1232, false)
	within(m)
	var got []string
	for _, rr := range slices.Concat(m.Answer, m.Ns, m.Extra) {
		got = append(got, rr.Header().Name+" "+dns.TypeToString[rr.Header().Rrtype])
	}
	want := "web.example.net. A|www.example.com. CNAME|edge.example.org. CNAME|example.net. NS|net. NS|ns1.example.net. A|a.gtld.example. A"
	if strings.Join(got, "|") != want {
		t.Errorf("left %s\nwant %s", strings.Join(got, "|"), want)
	}
	if s := m.String(); strings.Contains(s, "203.0.113.66") {
		t.Errorf("a stranger's address stays:\n%s", s)
	}
}
