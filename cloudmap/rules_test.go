package cloudmap

import (
	"strings"
	"testing"
	"time"
)

var (
	webNS  = &Namespace{ID: "ns-http", Name: "web", HTTPName: "web", Type: "HTTP"}
	priNS  = &Namespace{ID: "ns-private", Name: "example.internal", Type: "DNS_PRIVATE", VPC: "vpc-1"}
	pubNS  = &Namespace{ID: "ns-public", Name: "example.com", Type: "DNS_PUBLIC"}
	noText = "-" // no error
)

func wants(t *testing.T, what string, err error, text string) {
	t.Helper()
	switch {
	case err == nil && text == noText:
	case err == nil:
		t.Errorf("%s: accepted, want %q", what, text)
	case !strings.Contains(err.Error(), text):
		t.Errorf("%s: %v, want %q", what, err, text)
	}
}

func records(types ...string) []Record {
	out := []Record{}
	for _, t := range types {
		out = append(out, Record{Type: t, TTL: 60})
	}
	return out
}

func TestNewServices(t *testing.T) {
	for _, c := range []struct {
		what string
		in   *Namespace
		s    Service
		text string
	}{
		{"A", priNS, Service{Records: records("A")}, noText},
		{"A and AAAA", pubNS, Service{Records: records("A", "AAAA"), Routing: "WEIGHTED"}, noText},
		{"A and SRV", priNS, Service{Records: records("A", "SRV")}, noText},
		{"CNAME", priNS, Service{Records: records("CNAME")}, noText},
		{"none", priNS, Service{}, noText},
		{"type HTTP", priNS, Service{Type: "HTTP"}, noText},
		{"check", pubNS, Service{Records: records("A"), Check: &Check{Type: "TCP"}}, noText},
		{"check in HTTP", webNS, Service{Check: &Check{Type: "HTTPS"}}, noText},
		{"custom", priNS, Service{Records: records("A"), Custom: &Custom{}}, noText},
		{"records in HTTP", webNS, Service{Records: records("A")}, "HTTP namespace"},
		{"records of type HTTP", priNS, Service{Type: "HTTP", Records: records("A")}, "type HTTP"},
		{"no record", priNS, Service{Records: []Record{}}, "at least one"},
		{"a type twice", priNS, Service{Records: records("A", "A")}, "more than one DnsRecord of type A"},
		{"CNAME and A", priNS, Service{Records: records("CNAME", "A")}, "the only one"},
		{"CNAME, multivalue", priNS, Service{Records: records("CNAME"), Routing: "MULTIVALUE"}, "must be WEIGHTED"},
		{"CNAME, check", pubNS, Service{Records: records("CNAME"), Check: &Check{Type: "TCP"}}, "must not have a HealthCheckConfig"},
		{"private check", priNS, Service{Records: records("A"), Check: &Check{Type: "TCP"}}, "not supported in a private"},
		{"path of TCP", pubNS, Service{Check: &Check{Type: "TCP", Path: "/"}}, "must not have a ResourcePath"},
		{"both", pubNS, Service{Check: &Check{Type: "TCP"}, Custom: &Custom{}}, "not both"},
		{"long", priNS, Service{Name: strings.Repeat("a.", 64) + "b"}, "longer than 127"},
	} {
		if c.s.Name == "" {
			c.s.Name = "backend"
		}
		wants(t, c.what, c.s.Finish(c.in), c.text)
	}
}

func TestWhatANewServiceLeavesOpen(t *testing.T) {
	s := Service{Name: "b", Records: records("A"), Check: &Check{Type: "HTTP"}}
	if err := s.Finish(pubNS); err != nil || s.Routing != "MULTIVALUE" || s.Type != "DNS_HTTP" || s.Check.Path != "/" || s.Check.Threshold != 1 {
		t.Errorf("%+v %+v %v", s, s.Check, err)
	}
	s = Service{Name: "b", Records: records("CNAME")}
	if err := s.Finish(pubNS); err != nil || s.Routing != "WEIGHTED" {
		t.Errorf("%+v %v", s, err)
	}
}

func TestAttributesOfInstances(t *testing.T) {
	service := func(in *Namespace, s Service) *Service {
		s.Name = "b"
		if err := s.Finish(in); err != nil {
			t.Fatal(err)
		}
		return &s
	}
	many := map[string]string{}
	for i := range 31 {
		many[strings.Repeat("a", i+1)] = "v"
	}
	a4, srv := service(priNS, Service{Records: records("A")}), service(priNS, Service{Records: records("SRV")})
	web, told := service(webNS, Service{}), service(priNS, Service{Custom: &Custom{}})
	weighted := service(priNS, Service{Records: records("A"), Routing: "WEIGHTED"})
	for _, c := range []struct {
		what  string
		in    *Namespace
		s     *Service
		attrs map[string]string
		text  string
	}{
		{"A", priNS, a4, map[string]string{AttrIPv4: "10.0.0.1", "color": "blue"}, noText},
		{"A without", priNS, a4, map[string]string{AttrPort: "80"}, "AWS_INSTANCE_IPV4 is required"},
		{"bad address", priNS, a4, map[string]string{AttrIPv4: "10.0.0.256"}, "must be an IPv4 address"},
		{"an IPv6 address", priNS, a4, map[string]string{AttrIPv4: "::1"}, "must be an IPv4 address"},
		{"AAAA without", priNS, service(priNS, Service{Records: records("AAAA")}), map[string]string{AttrIPv4: "10.0.0.1"}, "AWS_INSTANCE_IPV6 is required"},
		{"SRV", priNS, srv, map[string]string{AttrIPv6: "fd00::1", AttrPort: "8080"}, noText},
		{"SRV without port", priNS, srv, map[string]string{AttrIPv4: "10.0.0.1"}, "AWS_INSTANCE_PORT is required"},
		{"SRV without address", priNS, srv, map[string]string{AttrPort: "1"}, "AWS_INSTANCE_IPV4 or AWS_INSTANCE_IPV6 is required"},
		{"port 0", priNS, srv, map[string]string{AttrIPv4: "10.0.0.1", AttrPort: "0"}, "a port between"},
		{"port too large", priNS, srv, map[string]string{AttrIPv4: "10.0.0.1", AttrPort: "65536"}, "a port between"},
		{"CNAME", priNS, service(priNS, Service{Records: records("CNAME")}), map[string]string{AttrCNAME: "example.com"}, noText},
		{"CNAME without", priNS, service(priNS, Service{Records: records("CNAME")}), map[string]string{"a": "b"}, "AWS_INSTANCE_CNAME is required"},
		{"CNAME to no name", priNS, service(priNS, Service{Records: records("CNAME")}), map[string]string{AttrCNAME: "-a..b"}, "must be a domain name"},
		{"alias", priNS, weighted, map[string]string{AttrAlias: "lb.example.com"}, noText},
		{"alias, multivalue", priNS, a4, map[string]string{AttrAlias: "lb.example.com"}, "WEIGHTED"},
		{"alias and address", priNS, weighted, map[string]string{AttrAlias: "lb.example.com", AttrIPv4: "10.0.0.1"}, "must not be set together"},
		{"anything in HTTP", webNS, web, map[string]string{"arn": "aws:lambda"}, noText},
		{"EC2", webNS, web, map[string]string{AttrEC2: "i-0123456789abcdef0"}, noText},
		{"EC2 and port", webNS, web, map[string]string{AttrEC2: "i-0123456789abcdef0", AttrPort: "1"}, "must not be set together"},
		{"EC2 in DNS", priNS, a4, map[string]string{AttrEC2: "i-0123456789abcdef0"}, "HTTP namespaces only"},
		{"initial", priNS, told, map[string]string{AttrInitHealth: "UNHEALTHY"}, noText},
		{"initial, no word", priNS, told, map[string]string{AttrInitHealth: "SICK"}, "HEALTHY or UNHEALTHY"},
		{"initial, not told", priNS, a4, map[string]string{AttrIPv4: "10.0.0.1", AttrInitHealth: "HEALTHY"}, "needs a service with a HealthCheckCustomConfig"},
		{"check without port", pubNS, service(pubNS, Service{Check: &Check{Type: "TCP"}}), map[string]string{AttrIPv4: "1.1.1.1"}, "AWS_INSTANCE_PORT is required"},
		{"too many", webNS, web, many, "at most 30 custom attributes"},
		{"too much", webNS, web, map[string]string{"a": strings.Repeat("x", 5000)}, "at most 5000 characters"},
	} {
		wants(t, c.what, c.s.CheckAttributes(c.in, c.attrs), c.text)
	}
}

func TestIdentifiersOfInstances(t *testing.T) {
	srv, apex := (&Service{Name: "b", Records: records("SRV")}), (&Service{Name: ".", Records: records("SRV")})
	long := (&Service{Name: strings.Repeat("b", 63) + "." + strings.Repeat("b", 63), Records: records("SRV")})
	deep := &Namespace{ID: "ns-deep", Name: strings.Repeat("a23456789.", 9) + "internal", Type: "DNS_PRIVATE"}
	for _, c := range []struct {
		id   string
		in   *Namespace
		s    *Service
		text string
	}{
		{"i-1", priNS, srv, noText}, {"a.b:80", priNS, srv, noText}, {"a/b@c", priNS, apex, noText}, {strings.Repeat("a", 63), priNS, srv, noText},
		{strings.Repeat("a", 64), priNS, srv, "no domain name"}, {"a..b", priNS, srv, "no domain name"}, {"a.", priNS, apex, "no domain name"},
		{".a", priNS, srv, "no domain name"}, {strings.Repeat("a", 32), deep, long, "no domain name"},
		{"a..b", priNS, (&Service{Name: "b", Records: records("A")}), noText}, {strings.Repeat("a", 64), webNS, (&Service{Name: "b"}), noText},
	} {
		wants(t, c.id, c.s.CheckID(c.in, c.id), c.text)
	}
}

func TestNamesOfNamespaces(t *testing.T) {
	for name, text := range map[string]string{"example.internal": noText, "local": noText, "_a.b-c": noText, "arn:x": "arn:", "a..b": "valid domain",
		"-a": "valid domain", "a!b": "valid domain", strings.Repeat("a", 64): "valid domain"} {
		wants(t, name, CheckNamespaceName("DNS_PRIVATE", name), text)
	}
	wants(t, "HTTP", CheckNamespaceName("HTTP", "a!b/c"), noText)
}

func TestChangesOfServices(t *testing.T) {
	s := &Service{Name: "b", Records: records("A")}
	if err := s.Finish(priNS); err != nil {
		t.Fatal(err)
	}
	next, err := s.Changed(priNS, ServiceChange{Records: []Record{{Type: "A", TTL: 5}}})
	if err != nil || next.TTL("A") != 5 || s.TTL("A") != 60 {
		t.Errorf("%+v %v", next, err)
	}
	_, err = s.Changed(priNS, ServiceChange{Records: records("AAAA")})
	wants(t, "another type", err, "cannot be changed")
	_, err = s.Changed(priNS, ServiceChange{Records: records("A", "AAAA")})
	wants(t, "one more", err, "cannot be changed")
	both := &Service{Name: "b", Records: records("A", "SRV"), Routing: "MULTIVALUE", Check: &Check{Type: "TCP", Threshold: 1}}
	if next, err = both.Changed(pubNS, ServiceChange{Records: records("SRV")}); err != nil || next.Has("A") || next.Check != nil || next.Routing != "MULTIVALUE" {
		t.Errorf("%+v %v", next, err)
	}
	if next, err = both.Changed(pubNS, ServiceChange{}); err != nil || next.Records != nil || next.Type != "HTTP" || next.Routing != "" {
		t.Errorf("%+v %v", next, err)
	}
	_, err = both.Changed(pubNS, ServiceChange{Records: []Record{}})
	wants(t, "no record", err, "at least one")
	_, err = (&Service{Name: "b"}).Changed(webNS, ServiceChange{})
	wants(t, "in HTTP", err, "HTTP namespace")
	told := &Service{Name: "b", Custom: &Custom{}}
	_, err = told.Changed(pubNS, ServiceChange{Check: &Check{Type: "TCP"}})
	wants(t, "told", err, "HealthCheckCustomConfig")
}

func TestToldHealth(t *testing.T) {
	now := time.Unix(1000, 0)
	i := &Instance{ID: "i", RegisteredAt: now}
	at := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	quick := &Service{Custom: &Custom{}}
	if h := quick.Tell(i, nil, "UNHEALTHY", at(1)); quick.Health(i, h) != "UNHEALTHY" || !h.At.Equal(at(1)) || quick.Serves(i, h) {
		t.Errorf("%+v", h)
	}
	slow := &Service{Custom: &Custom{Threshold: 2}}
	h := slow.Tell(i, nil, "UNHEALTHY", at(1))
	if slow.Health(i, h) != "HEALTHY" || !h.Due.Equal(at(61)) {
		t.Errorf("at once: %+v", h)
	}
	if again := slow.Tell(i, h, "UNHEALTHY", at(30)); again != h {
		t.Errorf("told again: %+v", again)
	}
	if back := slow.Tell(i, h, "HEALTHY", at(40)); back.Next != "" || slow.Health(i, back) != "HEALTHY" {
		t.Errorf("taken back: %+v", back)
	}
	if h.Ripen(at(60)) != h {
		t.Error("ripe too early")
	}
	if ripe := h.Ripen(at(61)); slow.Health(i, ripe) != "UNHEALTHY" || ripe.Next != "" || ripe.Ripen(at(99)) != ripe {
		t.Errorf("ripe: %+v", ripe)
	}
	ill := &Instance{ID: "i", Attributes: map[string]string{AttrInitHealth: "UNHEALTHY"}}
	if slow.Health(ill, nil) != "UNHEALTHY" || (&Service{}).Health(ill, nil) != "UNKNOWN" || !(&Service{}).Serves(ill, nil) {
		t.Error("initial health")
	}
}

func TestIdentifiers(t *testing.T) {
	hex := "0123456789abcdef0123456789abcdef"
	at := time.UnixMilli(1516925490087)
	for got, form := range map[string]int{NamespaceID(hex): 19, ServiceID(hex): 20, ZoneID(hex): 21, OperationID(hex, at): 41} {
		if len(got) != form {
			t.Errorf("%s has %d characters, want %d", got, len(got), form)
		}
	}
	a, _ := OperationOrder(OperationID(hex, at))
	b, ok := OperationOrder(OperationID(strings.Repeat("0", 32), at.Add(time.Millisecond)))
	if !ok || a >= b {
		t.Errorf("%s, %s", a, b)
	}
	for _, bad := range []string{"", "x", "a/b-c", "A-b"} {
		if _, ok := OperationOrder(bad); ok {
			t.Errorf("%q is taken for an operation's", bad)
		}
	}
	h := Home{Account: "000000000000", Region: "us-east-1"}
	s := &Service{Home: h, ID: "srv-1"}
	if id, ok := h.Local(KindService, s.ARN()); !ok || id != "srv-1" {
		t.Error(s.ARN())
	}
	for _, other := range []string{h.ARN(KindNamespace, "srv-1"), Home{Account: "1", Region: "us-east-1"}.ARN(KindService, "srv-1"), "arn:x"} {
		if _, ok := h.Local(KindService, other); ok {
			t.Errorf("%s is taken for a service here", other)
		}
	}
}
