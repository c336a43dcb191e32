package lower_test

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
)

var update = flag.Bool("update", false, "write the golden files anew")

var home = elb.Home{Account: "000000000000", Region: "us-east-1"}

// world is where machines and other load balancers are.
type world struct {
	machines map[string]netip.Addr
	nodes    map[string][]elb.Node
}

func (w world) Machine(_ elb.Home, instance string) netip.Addr { return w.machines[instance] }
func (w world) Nodes(arn string) []elb.Node                    { return w.nodes[arn] }

func group(id string, change func(*elb.TargetGroup)) *elb.TargetGroup {
	g := &elb.TargetGroup{Home: home, ID: id, Name: "tg-" + id, Type: elb.TargetIP, Protocol: elb.HTTP, Version: elb.HTTP1, Port: 80, VPC: "vpc-1"}
	if change != nil {
		change(g)
	}
	g.Check = g.DefaultCheck("")
	return g
}

func forward(to ...elb.Weighted) []elb.Action {
	return []elb.Action{{Type: "forward", Order: 1, Groups: to}}
}

// application is a load balancer with all that one may have.
func application() *lower.Balancer {
	l := &elb.LoadBalancer{
		Home: home, ID: "0123456789abcdef", Name: "web", Type: elb.TypeApplication, Scheme: "internet-facing", VPC: "vpc-1",
		Zones: []elb.Zone{{Name: "us-east-1a", Subnet: "subnet-a"}, {Name: "us-east-1b", Subnet: "subnet-b"}},
	}
	rule := func(listener, id string, priority int32, actions []elb.Action, conditions ...elb.Condition) *elb.Rule {
		return &elb.Rule{Home: home, LoadBalancer: l.ID, Listener: listener, ID: id, Priority: priority, Conditions: conditions, Actions: actions}
	}
	plain := &elb.Listener{Home: home, LoadBalancer: l.ID, ID: "aaaaaaaaaaaaaaaa", Port: 80, Protocol: elb.HTTP, Default: []elb.Action{
		{Type: "redirect", Redirect: &elb.Redirect{Protocol: "HTTPS", Port: "443", Status: "HTTP_301"}}}}
	secure := &elb.Listener{Home: home, LoadBalancer: l.ID, ID: "bbbbbbbbbbbbbbbb", Port: 443, Protocol: elb.HTTPS, Policy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
		Certificate: "arn:aws:acm:us-east-1:000000000000:certificate/1", Default: forward(elb.Weighted{Group: "1", Weight: 1})}
	certificate := func(n string) *elb.Certificate {
		return &elb.Certificate{Home: home, LoadBalancer: l.ID, Listener: secure.ID, ARN: "arn:aws:acm:us-east-1:000000000000:certificate/" + n}
	}
	sticky := forward(elb.Weighted{Group: "2", Weight: 90}, elb.Weighted{Group: "3", Weight: 10})
	sticky[0].Sticky = 60
	return &lower.Balancer{
		LoadBalancer: l,
		Attributes: map[string]string{elb.AttrIdleTimeout: "30", elb.AttrAccessLogs: "true", elb.AttrAccessBucket: "logs", elb.AttrAccessPrefix: "../up//x/", elb.AttrTLSHeaders: "true",
			elb.AttrClientPort: "true", elb.AttrForwardedFor: "preserve", elb.AttrDesync: "strictest", elb.AttrDropInvalid: "true", elb.AttrPreserveHost: "true"},
		Listeners: []lower.Listener{
			{Listener: plain, Attributes: map[string]string{elb.AttrServerHeader: "false"}},
			{Listener: secure, Certificates: []*elb.Certificate{certificate("3"), certificate("2"), certificate("1")},
				Attributes: map[string]string{"routing.http.response.x_frame_options.header_value": "DENY", elb.AttrTLSVersionName: "X-V"},
				Rules: []*elb.Rule{
					rule(secure.ID, "r4", 400, forward(elb.Weighted{Group: "missing", Weight: 1}), elb.Condition{Field: "path-pattern", Values: []string{"/gone"}}),
					rule(secure.ID, "r3", 300, forward(elb.Weighted{Group: "4", Weight: 1}), elb.Condition{Field: "query-string", Query: []elb.Pair{{Key: "v", Value: "1*"}, {Value: "x"}}},
						elb.Condition{Field: "source-ip", Values: []string{"10.0.0.0/8", "192.0.2.1/32"}}),
					rule(secure.ID, "r1", 100, []elb.Action{{Type: "fixed-response", Fixed: &elb.Fixed{Status: "404", ContentType: "text/plain", Body: "no"}}},
						elb.Condition{Field: "host-header", Values: []string{"*.example.com"}}, elb.Condition{Field: "http-request-method", Values: []string{"POST", "PUT"}}),
					rule(secure.ID, "r2", 200, sticky, elb.Condition{Field: "http-header", Header: "X-Beta", Regex: []string{"^1.$"}}),
				}},
		},
		Groups: map[string]lower.Group{
			"1": {TargetGroup: group("1", nil), Attributes: map[string]string{elb.AttrSticky: "true", elb.AttrLBCookie: "600", elb.AttrSlowStart: "30"}},
			"2": {TargetGroup: group("2", func(g *elb.TargetGroup) { g.Version, g.Protocol = elb.GRPC, elb.HTTPS }), Attributes: map[string]string{elb.AttrAlgorithm: elb.LeastOutstanding}},
			"3": {TargetGroup: group("3", func(g *elb.TargetGroup) { g.Version, g.Type = elb.HTTP2, elb.TargetInstance }),
				Attributes: map[string]string{elb.AttrSticky: "true", elb.AttrStickyType: elb.StickyByApp, elb.AttrAppCookieName: "SESSION", elb.AttrAppCookie: "60"}},
			"4":      {TargetGroup: group("4", nil), Attributes: map[string]string{elb.AttrCrossZone: "false", elb.AttrRouteCount: "2", elb.AttrRoutePercentage: "50"}},
			"unused": {TargetGroup: group("unused", nil)},
		},
	}
}

func network() *lower.Balancer {
	l := &elb.LoadBalancer{Home: home, ID: "fedcba9876543210", Name: "db", Type: elb.TypeNetwork, Scheme: "internal", VPC: "vpc-1", Zones: []elb.Zone{{Name: "us-east-1a"}, {Name: "us-east-1b"}}}
	listener := func(id string, port int32, groups ...elb.Weighted) lower.Listener {
		return lower.Listener{Listener: &elb.Listener{Home: home, LoadBalancer: l.ID, ID: id, Port: port, Protocol: elb.TCP, Default: forward(groups...)}}
	}
	tcp := func(g *elb.TargetGroup) { g.Protocol, g.Version = elb.TCP, "" }
	first := listener("cccccccccccccccc", 5432, elb.Weighted{Group: "5", Weight: 1})
	first.Attributes = map[string]string{elb.AttrTCPIdleTimeout: "60"}
	return &lower.Balancer{
		LoadBalancer: l,
		Listeners:    []lower.Listener{listener("dddddddddddddddd", 443, elb.Weighted{Group: "6", Weight: 1}), first, listener("eeeeeeeeeeeeeeee", 9, elb.Weighted{Group: "missing", Weight: 1})},
		Groups: map[string]lower.Group{
			"5": {TargetGroup: group("5", tcp), Attributes: map[string]string{elb.AttrProxyV2: "true", elb.AttrTerminate: "true", elb.AttrSticky: "true"}},
			"6": {TargetGroup: group("6", func(g *elb.TargetGroup) { tcp(g); g.Type = elb.TargetALB }), Attributes: map[string]string{elb.AttrUnhealthyEnds: "false", elb.AttrCrossZone: "true"}},
		},
	}
}

var node = elb.Node{Zone: "us-east-1b", Machine: "n1", Interface: "eni-1"}

// golden compares what v is with a file.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Errorf("%s differs (-update writes it):\n%s", file, got)
	}
}

func TestGolden(t *testing.T) {
	golden(t, "application", application().Part(node))
	golden(t, "network", network().Part(node))
}

func shuffled[T any](all []T) []T {
	out := append([]T(nil), all...)
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func TestOrderSaysNothing(t *testing.T) {
	want := application().Part(node)
	for range 20 {
		b := application()
		b.Listeners = shuffled(b.Listeners)
		for i := range b.Listeners {
			b.Listeners[i].Rules, b.Listeners[i].Certificates = shuffled(b.Listeners[i].Rules), shuffled(b.Listeners[i].Certificates)
		}
		if got := b.Part(node); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	a := netip.MustParseAddr
	w := world{
		machines: map[string]netip.Addr{"i-1": a("192.0.2.1")},
		nodes:    map[string][]elb.Node{"arn:other": {{Zone: "us-east-1a", Private: a("10.0.0.9")}, {Zone: "us-east-1b", Private: a("10.0.1.9")}, {Zone: "us-east-1b"}}},
	}
	target := func(id, place string, port int32) *elb.Target {
		return &elb.Target{Home: home, Group: "1", TargetKey: elb.TargetKey{ID: id, Port: port}, Place: place}
	}
	drains := target("10.0.0.5", "us-east-1a", 80)
	drains.DrainingSince = time.Unix(1, 0)
	all := target("10.9.0.1", "us-east-1c", 80)
	all.Zone = elb.AllZones
	ips := []*elb.Target{target("10.0.1.4", "us-east-1b", 80), target("10.0.0.4", "us-east-1a", 81), target("10.0.0.4", "us-east-1a", 80), drains, target("10.0.2.4", "us-east-1c", 80),
		target("172.16.0.1", "", 80), all}
	both, one := elb.Pool{Home: home, Group: "1", Zones: []string{"us-east-1a", "us-east-1b"}}, elb.Pool{Home: home, Group: "1", Zones: []string{"us-east-1b"}}
	golden(t, "endpoints", lower.Endpoints(both, group("1", nil), ips, w))
	golden(t, "endpoints-zone", lower.Endpoints(one, group("1", nil), ips, w))
	for range 20 {
		if got, want := lower.Endpoints(both, group("1", nil), shuffled(ips), w), lower.Endpoints(both, group("1", nil), ips, w); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	}
	of := func(p elb.Pool, kind string, t *elb.Target) (out []string) {
		for _, h := range lower.Endpoints(p, group("1", func(g *elb.TargetGroup) { g.Type = kind }), []*elb.Target{t}, w).Hosts {
			out = append(out, h.Addr.String()+" "+h.Zone)
		}
		return out
	}
	for name, c := range map[string]struct{ got, want []string }{
		"an instance":                  {of(both, elb.TargetInstance, target("i-1", "us-east-1a", 32768)), []string{"192.0.2.1:32768 us-east-1a"}},
		"an instance of another zone":  {of(one, elb.TargetInstance, target("i-1", "us-east-1a", 32768)), nil},
		"an instance that is nowhere":  {of(both, elb.TargetInstance, target("i-2", "us-east-1a", 32768)), nil},
		"a load balancer":              {of(both, elb.TargetALB, target("arn:other", "", 80)), []string{"10.0.0.9:80 us-east-1a", "10.0.1.9:80 us-east-1b"}},
		"a load balancer, one zone":    {of(one, elb.TargetALB, target("arn:other", "", 80)), []string{"10.0.1.9:80 us-east-1b"}},
		"a load balancer that is none": {of(both, elb.TargetALB, target("arn:none", "", 80)), nil},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}
