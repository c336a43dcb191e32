package zone

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/nodeconf"
)

var home = cloudmap.Home{Account: "000000000000", Region: "us-east-1"}

func namespace(kind string) *cloudmap.Namespace {
	return &cloudmap.Namespace{Home: home, ID: "ns-1", Name: "Prod.local", Type: kind, VPC: "vpc-1", Zone: "Z1", SOATTL: 15}
}

func service(routing string, records ...cloudmap.Record) *cloudmap.Service {
	return &cloudmap.Service{Home: home, ID: "srv-1", Namespace: "ns-1", Name: "Web", Routing: routing, Records: records}
}

func instance(id string, attributes ...string) *cloudmap.Instance {
	i := &cloudmap.Instance{Home: home, Service: "srv-1", ID: id, Attributes: map[string]string{}}
	for _, a := range attributes {
		k, v, _ := strings.Cut(a, "=")
		i.Attributes[k] = v
	}
	return i
}

func ill(id string) *cloudmap.InstanceHealth {
	return &cloudmap.InstanceHealth{Home: home, Service: "srv-1", Instance: id, Status: "UNHEALTHY", At: time.Unix(1, 0)}
}

func TestValues(t *testing.T) {
	named := func(name string, s *cloudmap.Service) *cloudmap.Service { s.Name = name; return s }
	custom := func(s *cloudmap.Service) *cloudmap.Service { s.Custom = &cloudmap.Custom{}; return s }
	for name, c := range map[string]struct {
		n    *cloudmap.Namespace
		s    *cloudmap.Service
		i    *cloudmap.Instance
		h    *cloudmap.InstanceHealth
		want []string
	}{
		"A": {namespace("DNS_PRIVATE"), service("MULTIVALUE", cloudmap.Record{Type: "A", TTL: 60}), instance("i1", "AWS_INSTANCE_IPV4=10.0.0.4"), nil,
			[]string{"web.prod.local 60 A 10.0.0.4"}},
		"A and AAAA, weighted": {namespace("DNS_PUBLIC"), service("WEIGHTED", cloudmap.Record{Type: "A", TTL: 60}, cloudmap.Record{Type: "AAAA", TTL: 30}),
			instance("i1", "AWS_INSTANCE_IPV4=10.0.0.4", "AWS_INSTANCE_IPV6=fd00::4"), nil,
			[]string{"web.prod.local 30 AAAA fd00::4 weighted", "web.prod.local 60 A 10.0.0.4 weighted"}},
		"SRV": {namespace("DNS_PRIVATE"), service("MULTIVALUE", cloudmap.Record{Type: "SRV", TTL: 10}), instance("I1", "AWS_INSTANCE_IPV4=10.0.0.4", "AWS_INSTANCE_PORT=32768"), nil,
			[]string{"i1.web.prod.local 10 A 10.0.0.4", "web.prod.local 10 SRV 1 1 32768 i1.web.prod.local"}},
		"SRV of the namespace's own name": {namespace("DNS_PRIVATE"), named(".", service("MULTIVALUE", cloudmap.Record{Type: "SRV", TTL: 10})),
			instance("I1", "AWS_INSTANCE_IPV4=10.0.0.4", "AWS_INSTANCE_PORT=80"), nil,
			[]string{"i1.prod.local 10 A 10.0.0.4", "prod.local 10 SRV 1 1 80 i1.prod.local"}},
		"SRV, unhealthy": {namespace("DNS_PRIVATE"), custom(service("WEIGHTED", cloudmap.Record{Type: "SRV", TTL: 10}, cloudmap.Record{Type: "A", TTL: 5})),
			instance("i1", "AWS_INSTANCE_IPV4=10.0.0.4", "AWS_INSTANCE_PORT=80"), ill("i1"),
			[]string{"i1.web.prod.local 10 A 10.0.0.4", "web.prod.local 10 SRV 1 1 80 i1.web.prod.local weighted unhealthy", "web.prod.local 5 A 10.0.0.4 weighted unhealthy"}},
		"at first unhealthy": {namespace("DNS_PRIVATE"), custom(service("MULTIVALUE", cloudmap.Record{Type: "A", TTL: 60})),
			instance("i1", "AWS_INSTANCE_IPV4=10.0.0.4", "AWS_INIT_HEALTH_STATUS=UNHEALTHY"), nil, []string{"web.prod.local 60 A 10.0.0.4 unhealthy"}},
		"nobody judges": {namespace("DNS_PRIVATE"), service("MULTIVALUE", cloudmap.Record{Type: "A", TTL: 60}), instance("i1", "AWS_INSTANCE_IPV4=10.0.0.4"), ill("i1"),
			[]string{"web.prod.local 60 A 10.0.0.4"}},
		"CNAME": {namespace("DNS_PUBLIC"), service("WEIGHTED", cloudmap.Record{Type: "CNAME", TTL: 60}), instance("i1", "AWS_INSTANCE_CNAME=www.example.com"), nil,
			[]string{"web.prod.local 60 CNAME www.example.com weighted"}},
		"what it lacks":    {namespace("DNS_PRIVATE"), service("MULTIVALUE", cloudmap.Record{Type: "SRV", TTL: 10}, cloudmap.Record{Type: "AAAA", TTL: 10}), instance("i1", "AWS_INSTANCE_IPV4=10.0.0.4"), nil, nil},
		"no records":       {namespace("DNS_PRIVATE"), service(""), instance("i1", "AWS_INSTANCE_IPV4=10.0.0.4"), nil, nil},
		"no names":         {namespace("HTTP"), service("MULTIVALUE", cloudmap.Record{Type: "A", TTL: 60}), instance("i1", "AWS_INSTANCE_IPV4=10.0.0.4"), nil, nil},
		"no namespace":     {nil, service("MULTIVALUE", cloudmap.Record{Type: "A", TTL: 60}), instance("i1", "AWS_INSTANCE_IPV4=10.0.0.4"), nil, nil},
		"health alone":     {namespace("DNS_PRIVATE"), service("MULTIVALUE", cloudmap.Record{Type: "A", TTL: 60}), nil, ill("i1"), nil},
		"an alias, so far": {namespace("DNS_PRIVATE"), service("WEIGHTED", cloudmap.Record{Type: "A", TTL: 60}), instance("i1", "AWS_ALIAS_DNS_NAME=lb.example.com"), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for key, v := range Values(c.n, c.s, c.i, c.h) {
				if want := nodeconf.ValueKey("ns-1", v.Name, v.Type, "srv-1/"+c.i.ID); key != want || v.Zone != "ns-1" {
					t.Errorf("key %s of %+v", key, v)
				}
				line := fmt.Sprint(v.Name, " ", v.TTL, " ", v.Type, " ", v.Value)
				if v.Weighted {
					line += " weighted"
				}
				if v.Unhealthy {
					line += " unhealthy"
				}
				got = append(got, line)
			}
			if slices.Sort(got); !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestZones(t *testing.T) {
	private, _ := Of(namespace("DNS_PRIVATE"))
	public, _ := Of(namespace("DNS_PUBLIC"))
	if private.Name != "prod.local" || private.Public || !slices.Equal(private.VPCs, []string{"vpc-1"}) || private.SOA.TTL != 15 {
		t.Errorf("private: %+v", private)
	}
	if !public.Public || public.VPCs != nil {
		t.Errorf("public: %+v", public)
	}
	if _, ok := Of(namespace("HTTP")); ok {
		t.Error("HTTP has a zone")
	}
}

// draw draws a record whose ids come from few.
func draw(t *rapid.T) (string, any) {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, "pick") }
	ns, srv, id := pick("ns-1", "ns-2"), pick("srv-1", "srv-2"), pick("a", "b", "c.d")
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		n := namespace(pick("DNS_PRIVATE", "DNS_PUBLIC", "HTTP"))
		n.ID, n.SOATTL = ns, rapid.Int64Range(1, 2).Draw(t, "soa")
		return ns, n
	case 1:
		s := service(pick("WEIGHTED", "MULTIVALUE"), cloudmap.Record{Type: "A", TTL: rapid.Int64Range(0, 1).Draw(t, "ttl")}, cloudmap.Record{Type: "SRV", TTL: 1})
		s.ID, s.Namespace, s.Name = srv, ns, pick("web", "db", ".")
		if pick("custom", "") != "" {
			s.Custom = &cloudmap.Custom{}
		}
		return srv, s
	case 2:
		h := ill(id)
		h.Service, h.Status = srv, pick("HEALTHY", "UNHEALTHY")
		return "health " + srv + " " + id, h
	}
	i := instance(id, "AWS_INSTANCE_IPV4="+pick("10.0.0.4", "10.0.0.5"), "AWS_INSTANCE_PORT="+pick("80", "81"))
	i.Service = srv
	return srv + " " + id, i
}

// Whatever comes and goes: changes lead to what all records make at once, and nothing is said in vain.
func TestChangesLeadToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, records, have := New(), map[string]any{}, nodeconf.Config{Version: 1}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			var changes []Change
			for range rapid.IntRange(1, 4).Draw(t, "together") {
				id, rec := draw(t)
				c := Change{Old: records[id], New: rec}
				if c.Old != nil && rapid.IntRange(0, 2).Draw(t, "gone") == 0 {
					c.New = nil
					delete(records, id)
				} else {
					records[id] = rec
				}
				changes = append(changes, c)
			}
			before := nodeconf.Config{Version: 1}
			if err := before.Apply(nodeconf.Delta{To: 1, Set: have.Resources}); err != nil {
				t.Fatal(err)
			}
			d := x.Apply(changes...)
			d.From, d.To = 1, 1
			if err := have.Apply(d); err != nil {
				t.Fatal(err)
			}
			want := nodeconf.Config{Resources: New().Load(maps.Values(records))}
			if have.Text() != want.Text() {
				t.Fatalf("by changes:\n%sat once:\n%s", have.Text(), want.Text())
			}
			if exact := nodeconf.Diff(&before, &have); exact.Set.Text() != d.Set.Text() || !slices.Equal(exact.Gone, d.Gone) {
				t.Fatalf("told\n%s%v\nof which this is new:\n%s%v", d.Set.Text(), d.Gone, exact.Set.Text(), exact.Gone)
			}
		}
		var all []Change
		for _, rec := range records {
			all = append(all, Change{Old: rec})
		}
		x.Apply(all...)
		if n := len(x.namespaces) + len(x.services) + len(x.within) + len(x.members); n != 0 {
			t.Fatalf("left: %+v", x)
		}
	})
}
