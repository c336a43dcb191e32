package view

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/nodeconf"
)

const ec2SOA = "auth ec2.internal. 60 IN SOA ns0.ec2.internal. hostmaster.amazon.com. 2012103100 3600 3600 3600 60"

func TestAnswers(t *testing.T) {
	v := whole(t, sample())
	for _, c := range []struct{ vpc, question, want string }{
		{"vpc-a", "ip-10-0-0-5.ec2.internal A", "NOERROR | ip-10-0-0-5.ec2.internal. 60 IN A 10.0.0.5"},
		{"vpc-a", "IP-10-0-255-254.Ec2.Internal A", "NOERROR | IP-10-0-255-254.Ec2.Internal. 60 IN A 10.0.255.254"},
		{"vpc-a", "ip-203-0-113-9.ec2.internal A", "NOERROR | ip-203-0-113-9.ec2.internal. 60 IN A 203.0.113.9"},
		{"vpc-a", "ip-10-0-0-5.ec2.internal AAAA", "NOERROR | " + ec2SOA},
		{"vpc-a", "ip-10-1-0-5.ec2.internal A", "NXDOMAIN | " + ec2SOA},
		{"vpc-a", "ip-10-0-0-05.ec2.internal A", "NXDOMAIN | " + ec2SOA},
		{"vpc-a", "ip-10-0-0-5-6.ec2.internal A", "NXDOMAIN | " + ec2SOA},
		{"vpc-a", "ip-10-0-0.ec2.internal A", "NXDOMAIN | " + ec2SOA},
		{"vpc-a", "x.ip-10-0-0-5.ec2.internal A", "NXDOMAIN | " + ec2SOA},
		{"vpc-a", "i-0123456789abcdef0.ec2.internal A", "NXDOMAIN | " + ec2SOA},
		{"vpc-a", "ec2.internal A", "NOERROR | " + ec2SOA},
		{"vpc-a", "ec2.internal SOA", "NOERROR | " + strings.TrimPrefix(ec2SOA, "auth ")},
		{"vpc-a", "ip-10-0-0-5.eu-west-1.compute.internal A", "NOERROR | forward ip-10-0-0-5.eu-west-1.compute.internal.<nil>"},
		{"vpc-b", "ip-10-0-0-5.eu-west-1.compute.internal A", "NOERROR | ip-10-0-0-5.eu-west-1.compute.internal. 60 IN A 10.0.0.5"},
		{"vpc-c", "ip-10-0-0-5.eu-west-1.compute.internal A", "silent"},
		{"vpc-x", "example.com A", "silent"},
		{"vpc-a", "example.com A", "NOERROR | forward example.com.<nil>"},
		{"vpc-a", ". NS", "NOERROR | forward .<nil>"},
		{"vpc-a", "notec2.internal A", "NOERROR | forward notec2.internal.<nil>"},

		{"vpc-a", "ec2-198-18-0-5.compute-1.amazonaws.com A", "NOERROR | ec2-198-18-0-5.compute-1.amazonaws.com. 60 IN A 10.0.0.5"},
		{"vpc-a", "ec2-198-18-0-6.compute-1.amazonaws.com A", "NOERROR | ec2-198-18-0-6.compute-1.amazonaws.com. 60 IN A 198.18.0.6"},
		{"vpc-a", "ec2-198-18-0-7.compute-1.amazonaws.com A", "NOERROR | forward ec2-198-18-0-7.compute-1.amazonaws.com.<nil>"},
		{"vpc-b", "ec2-198-18-0-6.eu-west-1.compute.amazonaws.com A", "NOERROR | forward ec2-198-18-0-6.eu-west-1.compute.amazonaws.com.<nil>"},

		{"vpc-a", "5.0.0.10.in-addr.arpa PTR", "NOERROR | 5.0.0.10.in-addr.arpa. 60 IN PTR ip-10-0-0-5.ec2.internal."},
		{"vpc-b", "5.0.0.10.in-addr.arpa PTR", "NOERROR | 5.0.0.10.in-addr.arpa. 60 IN PTR ip-10-0-0-5.eu-west-1.compute.internal."},
		{"vpc-a", "9.113.0.203.in-addr.arpa PTR", "NOERROR | 9.113.0.203.in-addr.arpa. 60 IN PTR ip-203-0-113-9.ec2.internal."},
		{"vpc-a", "9.128.0.203.in-addr.arpa PTR", "NOERROR | forward 9.128.0.203.in-addr.arpa.<nil>"},
		{"vpc-a", "5.0.9.10.in-addr.arpa PTR", "NXDOMAIN | auth 10.in-addr.arpa. 60 IN SOA ns0.ec2.internal. hostmaster.amazon.com. 2012103100 3600 3600 3600 60"},
		{"vpc-a", "5.0.31.172.in-addr.arpa PTR", "NXDOMAIN | auth 31.172.in-addr.arpa. 60 IN SOA ns0.ec2.internal. hostmaster.amazon.com. 2012103100 3600 3600 3600 60"},
		{"vpc-a", "5.0.32.172.in-addr.arpa PTR", "NOERROR | forward 5.0.32.172.in-addr.arpa.<nil>"},
		{"vpc-a", "1.0.0.10.in-addr.arpa A", "NOERROR | auth 10.in-addr.arpa. 60 IN SOA ns0.ec2.internal. hostmaster.amazon.com. 2012103100 3600 3600 3600 60"},
		{"vpc-a", "0.0.10.in-addr.arpa PTR", "NOERROR | auth 10.in-addr.arpa. 60 IN SOA ns0.ec2.internal. hostmaster.amazon.com. 2012103100 3600 3600 3600 60"},
		{"vpc-a", "x.5.0.0.10.in-addr.arpa PTR", "NXDOMAIN | auth 10.in-addr.arpa. 60 IN SOA ns0.ec2.internal. hostmaster.amazon.com. 2012103100 3600 3600 3600 60"},
		{"vpc-a", "8.8.8.8.in-addr.arpa PTR", "NOERROR | forward 8.8.8.8.in-addr.arpa.<nil>"},
		{"vpc-a", "1.0.0.127.in-addr.arpa PTR", "NOERROR | 1.0.0.127.in-addr.arpa. 60 IN PTR localhost."},
		{"vpc-a", "a.0.b.a.2.1.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR", "NXDOMAIN | auth b.a.2.1.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 IN SOA ns0.ec2.internal. hostmaster.amazon.com. 2012103100 3600 3600 3600 60"},
		{"vpc-a", "d.f.ip6.arpa PTR", "NOERROR | auth d.f.ip6.arpa. 60 IN SOA ns0.ec2.internal. hostmaster.amazon.com. 2012103100 3600 3600 3600 60"},
		{"vpc-a", "1.7.0.10.in-addr.arpa PTR", "NOERROR | 1.7.0.10.in-addr.arpa. 10 IN PTR one.prod.local."},
		{"vpc-a", "2.7.0.10.in-addr.arpa PTR", "NXDOMAIN | auth 7.0.10.in-addr.arpa. 5 IN SOA ns. m. 1 7200 900 1209600 86400"},
		{"vpc-a", "localhost A", "NOERROR | localhost. 60 IN A 127.0.0.1"},
		{"vpc-a", "a.localhost AAAA", "NOERROR | a.localhost. 60 IN AAAA ::1"},
	} {
		reply, a := ask(t, v, c.vpc, c.question, zero)
		if got := said(reply, a); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.vpc, c.question, got, c.want)
		}
	}
}

const prodSOA = "auth prod.local. 15 IN SOA ns.prod.local. admin.prod.local. 1 7200 900 1209600 86400"

func TestZones(t *testing.T) {
	v := whole(t, sample())
	for _, c := range []struct{ vpc, question, want string }{
		{"vpc-a", "web.prod.local A", "NOERROR | web.prod.local. 60 IN A 10.0.1.1 | web.prod.local. 60 IN A 10.0.1.2"},
		{"vpc-a", "wEb.PROD.local AAAA", "NOERROR | wEb.PROD.local. 60 IN AAAA fd00::1"},
		{"vpc-b", "web.prod.local A", "NOERROR | forward web.prod.local.<nil>"},
		{"vpc-a", "web.prod.local MX", "NOERROR | " + prodSOA},
		{"vpc-a", "none.prod.local A", "NXDOMAIN | " + prodSOA},
		{"vpc-a", "prod.local A", "NOERROR | " + prodSOA},
		{"vpc-a", "prod.local SOA", "NOERROR | " + strings.TrimPrefix(prodSOA, "auth ")},
		{"vpc-a", "prod.local NS", "NOERROR | prod.local. 172800 IN NS ns.prod.local."},
		{"vpc-a", "prod.local ANY", "NOERROR | " + strings.TrimPrefix(prodSOA, "auth ")},
		{"vpc-a", "web.prod.local ANY", "NOERROR | web.prod.local. 60 IN A 10.0.1.1 | web.prod.local. 60 IN A 10.0.1.2"}, // one type is enough
		{"vpc-a", "ill.prod.local A", "NOERROR | ill.prod.local. 60 IN A 10.0.5.2 | ill.prod.local. 60 IN A 10.0.5.3"},
		{"vpc-a", "illest.prod.local A", "NOERROR | illest.prod.local. 60 IN A 10.0.5.1 | illest.prod.local. 60 IN A 10.0.5.2"},
		{"vpc-a", "worn.prod.local A", "NOERROR | worn.prod.local. 0 IN A 10.0.3.1"},
		{"vpc-a", "twice.prod.local A", "NOERROR | twice.prod.local. 60 IN A 10.0.5.1 | twice.prod.local. 60 IN A 10.0.5.2"},
		{"vpc-a", "either.prod.local A", "NOERROR | either.prod.local. 30 IN CNAME ill.prod.local. | ill.prod.local. 60 IN A 10.0.5.2 | ill.prod.local. 60 IN A 10.0.5.3"},
		{"vpc-a", "either.prod.local CNAME", "NOERROR | either.prod.local. 30 IN CNAME ill.prod.local."},
		{"vpc-a", "www.prod.local A", "NOERROR | www.prod.local. 30 IN CNAME WEB.prod.local. | WEB.prod.local. 60 IN A 10.0.1.1 | WEB.prod.local. 60 IN A 10.0.1.2"},
		{"vpc-a", "www.prod.local CNAME", "NOERROR | www.prod.local. 30 IN CNAME WEB.prod.local."},
		{"vpc-a", "out.prod.local A", "NOERROR | out.prod.local. 30 IN CNAME example.com. | forward example.com.<nil>"},
		{"vpc-a", "host.prod.local A", "NOERROR | host.prod.local. 30 IN CNAME ip-10-0-0-9.ec2.internal. | ip-10-0-0-9.ec2.internal. 60 IN A 10.0.0.9"},
		{"vpc-a", "nowhere.prod.local A", "NXDOMAIN | nowhere.prod.local. 30 IN CNAME none.prod.local. | " + prodSOA},
		{"vpc-a", "loop1.prod.local A", "SERVFAIL"},
		{"vpc-a", "_http._tcp.prod.local SRV", "NOERROR | _http._tcp.prod.local. 10 IN SRV 1 1 80 web.prod.local. | _http._tcp.prod.local. 10 IN SRV 1 1 81 web.prod.local." +
			" | _http._tcp.prod.local. 10 IN SRV 1 1 82 ip-10-0-0-8.ec2.internal. | extra web.prod.local. 60 IN A 10.0.1.1 | extra web.prod.local. 60 IN A 10.0.1.2" +
			" | extra web.prod.local. 60 IN AAAA fd00::1 | extra ip-10-0-0-8.ec2.internal. 60 IN A 10.0.0.8"},
		{"vpc-a", "a.b.deep.prod.local TXT", `NOERROR | a.b.deep.prod.local. 10 IN TXT "hello world" "two"`},
		{"vpc-a", "b.deep.prod.local TXT", "NOERROR | " + prodSOA}, // a name that only names below have
		{"vpc-a", "deep.prod.local A", "NOERROR | " + prodSOA},
		{"vpc-a", "c.deep.prod.local A", "NXDOMAIN | " + prodSOA},
		{"vpc-a", "x.wild.prod.local A", "NOERROR | x.wild.prod.local. 10 IN A 10.0.4.4"},
		{"vpc-a", "y.x.wild.prod.local A", "NOERROR | y.x.wild.prod.local. 10 IN A 10.0.4.4"},
		{"vpc-a", "x.wild.prod.local TXT", "NOERROR | " + prodSOA},
		{"vpc-a", "there.wild.prod.local A", "NOERROR | " + prodSOA}, // a name that is there has no wildcard's records
		{"vpc-a", "x.there.wild.prod.local A", "NXDOMAIN | " + prodSOA},
		{"vpc-a", "wild.prod.local A", "NOERROR | " + prodSOA},
		{"vpc-a", "shop.example.net A", "NOERROR | shop.example.net. 60 IN A 198.18.0.10"},
		{"vpc-a", "example.net A", "NOERROR | example.net. 60 IN A 198.18.0.9"},
		{"vpc-a", "example.net NS", "NOERROR | example.net. 172800 IN NS ns1.example.net. | example.net. 172800 IN NS ns2.example.net."},
		{"vpc-b", "shop.example.net A", "NOERROR | shop.example.net. 60 IN A 198.18.0.10"},
		{"vpc-c", "shop.example.net A", "silent"},
		{Machine, "shop.example.net A", "NOERROR | shop.example.net. 60 IN A 172.31.0.10"}, // of a name twice, the VPC's own
		{Machine, "x.deep.example.net A", "NOERROR | x.deep.example.net. 60 IN A 198.18.0.11"},
		{Machine, "example.net A", "NOERROR | auth example.net. 5 IN SOA ns. m. 1 7200 900 1209600 86400"},
		{Everything, "web.prod.local AAAA", "NOERROR | web.prod.local. 60 IN AAAA fd00::1"},
		{Everything, "shop.example.net A", "NOERROR | shop.example.net. 60 IN A 198.18.0.10"}, // the first of two
		{Everything, "ip-10-0-0-5.ec2.internal A", "NOERROR | forward ip-10-0-0-5.ec2.internal.<nil>"},
		{Everything, "5.0.0.10.in-addr.arpa PTR", "NOERROR | forward 5.0.0.10.in-addr.arpa.<nil>"},
		{Everything, "localhost A", "NOERROR | forward localhost.<nil>"},
		{Machine, "web.prod.local A", "NOERROR | forward web.prod.local.<nil>"},
		{Machine, "ip-172-31-0-7.ec2.internal A", "NOERROR | ip-172-31-0-7.ec2.internal. 60 IN A 172.31.0.7"},
		{Machine, "ec2-198-18-0-5.compute-1.amazonaws.com A", "NOERROR | ec2-198-18-0-5.compute-1.amazonaws.com. 60 IN A 198.18.0.5"},
		{"vpc-a", "hidden.sub.prod.local A", "NXDOMAIN | auth sub.prod.local. 5 IN SOA ns. m. 1 7200 900 1209600 86400"}, // the longer zone decides
	} {
		reply, a := ask(t, v, c.vpc, c.question, zero)
		if got := said(reply, a); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.vpc, c.question, got, c.want)
		}
	}
}

// Who is nowhere at home knows public names, and asks others about all else.
func TestHomeless(t *testing.T) {
	r := sample()
	r.Homes = nil
	v := whole(t, r)
	for question, want := range map[string]string{
		"shop.example.net A": "NOERROR | shop.example.net. 60 IN A 198.18.0.10",
		"web.prod.local A":   "NOERROR | forward web.prod.local.<nil>",
		"example.com A":      "NOERROR | forward example.com.<nil>",
	} {
		reply, a := ask(t, v, Machine, question, zero)
		if got := said(reply, a); got != want {
			t.Errorf("%s\n got %s\nwant %s", question, got, want)
		}
	}
	if reply, a := ask(t, nil, Machine, "example.com A", zero); said(reply, a) != "NOERROR | forward example.com.<nil>" {
		t.Errorf("who knows nothing: %s", said(reply, a))
	}
}

// Of many values eight are answered, each as often as another; of weighted ones one, each healthy one as often as another.
func TestDraws(t *testing.T) {
	v := whole(t, sample())
	r := rand.New(rand.NewPCG(1, 2))
	count := func(question string, times int) map[string]int {
		got := map[string]int{}
		for range times {
			reply, _ := ask(t, v, "vpc-a", question, r.IntN)
			for _, rr := range reply.Answer {
				got[rr.(*dns.A).A.String()]++
			}
		}
		return got
	}
	many := count("many.prod.local A", 2000)
	for _, a := range numbered("10.0.2.%d", 20) {
		if many[a] < 700 || many[a] > 900 {
			t.Errorf("%s was answered %d times of 2000, want about 800", a, many[a])
		}
	}
	drawn := count("drawn.prod.local A", 3000)
	for _, a := range []string{"10.0.3.2", "10.0.3.3", "10.0.3.4"} {
		if drawn[a] < 850 || drawn[a] > 1150 || drawn["10.0.3.1"] != 0 {
			t.Errorf("three healthy ones of four: %v", drawn)
		}
	}
	if worn := count("worn.prod.local A", 1000); worn["10.0.3.1"] < 400 || worn["10.0.3.2"] < 400 || worn["10.0.3.1"]+worn["10.0.3.2"] != 1000 {
		t.Errorf("none is healthy: %v", worn)
	}
}

func TestWhatIsNotUnderstoodIsLeftOut(t *testing.T) {
	r := sample()
	for _, s := range []records{
		{Zone: "z1", Name: "bad.prod.local", Type: "A", Values: []string{"10.0.0.256"}},
		{Zone: "z1", Name: "bad2.prod.local", Type: "HUH", Values: []string{"x"}},
		{Zone: "z1", Name: "bad3.prod.local", Type: "A", Values: []string{""}},
		{Zone: "z1", Name: strings.Repeat("a", 64) + ".prod.local", Type: "A", Values: []string{"10.0.0.1"}},
		{Zone: "z1", Name: "bad4.prod.local", Type: "A", Values: []string{"10.0.0.1 10.0.0.2"}},
		{Zone: "z1", Name: "bad7.prod.local", Type: "A", Values: []string{"\n$INCLUDE /etc/passwd"}},
		{Zone: "z1", Name: "bad8.prod.local", Type: "OPT", Values: []string{"x"}},
	} {
		s.put(r.Values)
	}
	v, problems := (*View)(nil).Apply(nodeconf.Delta{To: 1, Set: r})
	if len(problems) != 7 {
		t.Errorf("%d problems: %v", len(problems), problems)
	}
	if reply, _ := ask(t, v, "vpc-a", "web.prod.local A", zero); len(reply.Answer) != 2 {
		t.Errorf("beside them: %v", reply)
	}
}
