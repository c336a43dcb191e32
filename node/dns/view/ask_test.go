package view

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/message"
	"github.com/berth-ecs/berth/nodeconf"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// sample has two VPCs of the same range, in two regions, and zones of the first.
func sample() nodeconf.Resources {
	r := nodeconf.Resources{
		VPCs: map[string]nodeconf.VPC{
			"vpc-a": {ID: "vpc-a", Region: "us-east-1", DNSSupport: true, DNSHostnames: true,
				CIDRs:  []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("203.0.112.0/20")},
				CIDRs6: []netip.Prefix{netip.MustParsePrefix("2001:db8:12:ab00::/56")}},
			"vpc-b": {ID: "vpc-b", Region: "eu-west-1", DNSSupport: true, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}},
			"vpc-c": {ID: "vpc-c", Region: "eu-west-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}},
		},
		Homes: map[string]nodeconf.Home{"0/us-east-1": {VPC: nodeconf.VPC{ID: "vpc-d", Region: "us-east-1", DNSHostnames: true, CIDRs: []netip.Prefix{netip.MustParsePrefix("172.31.0.0/16")}}}},
		Interfaces: map[string]nodeconf.Interface{
			"eni-1": {VPC: "vpc-a", Addresses: []netip.Addr{addr("10.0.0.5")}, Public: []nodeconf.Public{{Private: addr("10.0.0.5"), Public: addr("198.18.0.5")}}},
			"eni-2": {VPC: "vpc-b", Addresses: []netip.Addr{addr("10.0.0.6")}, Public: []nodeconf.Public{{Private: addr("10.0.0.6"), Public: addr("198.18.0.6")}}},
		},
		Zones: map[string]nodeconf.Zone{
			"z1": {ID: "z1", Name: "Prod.local", VPCs: []string{"vpc-a"}, SOA: nodeconf.SOA{Server: "ns.prod.local", Mailbox: "admin.prod.local", TTL: 15}},
			"z2": {ID: "z2", Name: "sub.prod.local", VPCs: []string{"vpc-a"}, SOA: nodeconf.SOA{Server: "ns", Mailbox: "m", TTL: 5}},
			"z3": {ID: "z3", Name: "7.0.10.in-addr.arpa", VPCs: []string{"vpc-a"}, SOA: nodeconf.SOA{Server: "ns", Mailbox: "m", TTL: 5}},
			"z4": {ID: "z4", Name: "example.net", Public: true, Servers: []string{"ns1.example.net", "ns2.example.net"}, SOA: nodeconf.SOA{Server: "ns1.example.net", Mailbox: "m", TTL: 5}},
			"z5": {ID: "z5", Name: "example.net", VPCs: []string{"vpc-d"}, SOA: nodeconf.SOA{Server: "ns", Mailbox: "m", TTL: 5}},
			"z6": {ID: "z6", Name: "deep.example.net", Public: true, SOA: nodeconf.SOA{Server: "ns", Mailbox: "m", TTL: 5}},
		},
		Values: map[string]nodeconf.Value{}, // of these and more
	}
	for _, s := range []records{
		{Zone: "z1", Name: "Web.prod.local", Type: "A", TTL: 60, Values: []string{"10.0.1.1", "10.0.1.2"}},
		{Zone: "z1", Name: "web.prod.local", Type: "AAAA", TTL: 60, Values: []string{"fd00::1"}},
		{Zone: "z1", Name: "many.prod.local", Type: "A", TTL: 60, Values: numbered("10.0.2.%d", 20)},
		{Zone: "z1", Name: "drawn.prod.local", Type: "A", TTL: 0, Values: []string{"10.0.3.1", "10.0.3.2", "10.0.3.3", "10.0.3.4"}, Weighted: true, Unhealthy: 1},
		{Zone: "z1", Name: "ill.prod.local", Type: "A", TTL: 60, Values: []string{"10.0.5.1", "10.0.5.2", "10.0.5.3"}, Unhealthy: 1},
		{Zone: "z1", Name: "illest.prod.local", Type: "A", TTL: 60, Values: []string{"10.0.5.1", "10.0.5.2"}, Unhealthy: 2},
		{Zone: "z1", Name: "worn.prod.local", Type: "A", TTL: 0, Values: []string{"10.0.3.1", "10.0.3.2"}, Weighted: true, Unhealthy: 2},
		{Zone: "z1", Name: "twice.prod.local", Type: "A", TTL: 60, Values: []string{"10.0.5.1", "10.0.5.2", "10.0.5.1"}},
		{Zone: "z1", Name: "either.prod.local", Type: "CNAME", TTL: 30, Values: []string{"web.prod.local", "ill.prod.local"}, Weighted: true},
		{Zone: "z1", Name: "www.prod.local", Type: "CNAME", TTL: 30, Values: []string{"WEB.prod.local"}},
		{Zone: "z1", Name: "out.prod.local", Type: "CNAME", TTL: 30, Values: []string{"example.com."}},
		{Zone: "z1", Name: "host.prod.local", Type: "CNAME", TTL: 30, Values: []string{"ip-10-0-0-9.ec2.internal"}},
		{Zone: "z1", Name: "nowhere.prod.local", Type: "CNAME", TTL: 30, Values: []string{"none.prod.local"}},
		{Zone: "z1", Name: "loop1.prod.local", Type: "CNAME", TTL: 30, Values: []string{"loop2.prod.local"}},
		{Zone: "z1", Name: "loop2.prod.local", Type: "CNAME", TTL: 30, Values: []string{"loop1.prod.local"}},
		{Zone: "z1", Name: "_http._tcp.prod.local", Type: "SRV", TTL: 10, Values: []string{"1 1 80 web.prod.local", "1 1 81 web.prod.local", "1 1 82 ip-10-0-0-8.ec2.internal"}},
		{Zone: "z1", Name: "a.b.deep.prod.local", Type: "TXT", TTL: 10, Values: []string{`"hello world" two`}},
		{Zone: "z1", Name: "*.wild.prod.local", Type: "A", TTL: 10, Values: []string{"10.0.4.4"}},
		{Zone: "z1", Name: "there.wild.prod.local", Type: "TXT", TTL: 10, Values: []string{"x"}},
		{Zone: "z1", Name: "hidden.sub.prod.local", Type: "A", TTL: 10, Values: []string{"10.0.4.5"}},
		{Zone: "z4", Name: "example.net", Type: "A", TTL: 60, Values: []string{"198.18.0.9"}},
		{Zone: "z4", Name: "shop.example.net", Type: "A", TTL: 60, Values: []string{"198.18.0.10"}},
		{Zone: "z5", Name: "shop.example.net", Type: "A", TTL: 60, Values: []string{"172.31.0.10"}},
		{Zone: "z6", Name: "x.deep.example.net", Type: "A", TTL: 60, Values: []string{"198.18.0.11"}},
		{Zone: "z3", Name: "1.7.0.10.in-addr.arpa", Type: "PTR", TTL: 10, Values: []string{"one.prod.local"}},
	} {
		s.put(r.Values)
	}
	return r
}

// records are values of one name and type.
type records struct {
	Zone, Name, Type string
	TTL              uint32
	Values           []string
	Weighted         bool
	Unhealthy        int // that many of them, from the first
}

func (s records) put(to map[string]nodeconf.Value) {
	for i, value := range s.Values {
		to[nodeconf.ValueKey(s.Zone, s.Name, s.Type, strconv.Itoa(i))] = nodeconf.Value{
			Zone: s.Zone, Name: s.Name, Type: s.Type, TTL: s.TTL, Value: value, Weighted: s.Weighted, Unhealthy: i < s.Unhealthy,
		}
	}
}

func numbered(format string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf(format, i+1))
	}
	return out
}

func whole(t fataler, r nodeconf.Resources) *View {
	t.Helper()
	v, problems := (*View)(nil).Apply(nodeconf.Delta{To: 1, Set: r})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return v
}

// ask asks as a resolver's reader does, through bytes, and reads what comes with another library.
func ask(t fataler, v *View, vpcID, question string, draw func(int) int) (*dns.Msg, *Answer) {
	t.Helper()
	name, kind, _ := strings.Cut(question, " ")
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), dns.StringToType[kind])
	raw, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var q message.Query
	if verdict := q.Parse(raw); verdict != message.Answer {
		t.Fatalf("%s: verdict %d", question, verdict)
	}
	a := &Answer{Draw: draw}
	v.Answer(vpcID, &q, a)
	reply := new(dns.Msg)
	if err := reply.Unpack(a.Append(nil, &q, message.MaxSize)); err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	if !slices.Equal(reply.Question, m.Question) {
		t.Errorf("%s: the answer is one to %v", question, reply.Question)
	}
	return reply, a
}

// said is a reply in one line.
func said(reply *dns.Msg, a *Answer) string {
	if a.Silent {
		return "silent"
	}
	parts := []string{dns.RcodeToString[reply.Rcode]}
	for _, section := range []struct {
		name    string
		records []dns.RR
	}{{"", reply.Answer}, {"auth", reply.Ns}, {"extra", reply.Extra}} {
		for _, rr := range section.records {
			parts = append(parts, strings.Join(strings.Fields(section.name+" "+rr.String()), " "))
		}
	}
	if a.Forward != nil {
		name, _, err := dns.UnpackDomainName(a.Forward, 0)
		parts = append(parts, fmt.Sprint("forward ", name, err))
	}
	return strings.Join(parts, " | ")
}

func zero(int) int { return 0 }

// fataler is a testing.T or a rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}
