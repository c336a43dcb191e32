package route_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
	"github.com/berth-ecs/berth/elb/route"
)

var home = elb.Home{Account: "000000000000", Region: "us-east-1"}

type world struct{}

func (world) Machine(_ elb.Home, instance string) netip.Addr {
	if instance == "i-1" {
		return netip.MustParseAddr("192.0.2.1")
	}
	return netip.Addr{}
}
func (world) Nodes(string) []elb.Node { return nil }

func group(id string, change func(*elb.TargetGroup)) lower.Group {
	g := &elb.TargetGroup{Home: home, ID: id, Name: "tg-" + id, Type: elb.TargetIP, Protocol: elb.HTTP, Version: elb.HTTP1, Port: 80}
	if change != nil {
		change(g)
	}
	g.Check = g.DefaultCheck("")
	return lower.Group{TargetGroup: g}
}

func forward(to ...elb.Weighted) []elb.Action { return []elb.Action{{Type: "forward", Groups: to}} }

// shop is a load balancer in two zones, of which one node serves.
func shop() (*lower.Balancer, route.State) {
	l := &elb.LoadBalancer{Home: home, ID: "0123456789abcdef", Name: "shop", Type: elb.TypeApplication, Zones: []elb.Zone{{Name: "us-east-1a"}, {Name: "us-east-1b"}}}
	rule := func(id string, priority int32, actions []elb.Action, conditions ...elb.Condition) *elb.Rule {
		return &elb.Rule{Home: home, LoadBalancer: l.ID, Listener: "l1", ID: id, Priority: priority, Conditions: conditions, Actions: actions}
	}
	b := &lower.Balancer{LoadBalancer: l, Listeners: []lower.Listener{
		{Listener: &elb.Listener{Home: home, LoadBalancer: l.ID, ID: "l1", Port: 80, Protocol: elb.HTTP, Default: []elb.Action{{Type: "fixed-response", Fixed: &elb.Fixed{Status: "404", Body: "none"}}}},
			Rules: []*elb.Rule{
				rule("r3", 30, []elb.Action{{Type: "redirect", Redirect: &elb.Redirect{Protocol: "HTTPS", Port: "443", Query: "#{query}", Status: "HTTP_301"}}}, elb.Condition{Field: "path-pattern", Values: []string{"/login*"}}),
				rule("r1", 10, forward(elb.Weighted{Group: "a", Weight: 90}, elb.Weighted{Group: "b", Weight: 10}), elb.Condition{Field: "host-header", Values: []string{"*.example.com"}},
					elb.Condition{Field: "path-pattern", Values: []string{"/api/*", "/v?/*"}}),
				rule("r2", 20, forward(elb.Weighted{Group: "empty", Weight: 1}), elb.Condition{Field: "http-header", Header: "X-Beta", Values: []string{"1"}}),
				rule("r4", 40, forward(elb.Weighted{Group: "a", Weight: 0}), elb.Condition{Field: "query-string", Query: []elb.Pair{{Key: "v", Value: "0"}}},
					elb.Condition{Field: "source-ip", Values: []string{"10.0.0.0/8"}}),
				rule("r5", 50, forward(elb.Weighted{Group: "b", Weight: 1}), elb.Condition{Field: "http-request-method", Values: []string{"POST"}}),
			}},
		{Listener: &elb.Listener{Home: home, LoadBalancer: l.ID, ID: "l2", Port: 443, Protocol: elb.HTTPS, Certificate: "arn:c", Default: forward(elb.Weighted{Group: "a", Weight: 1})}},
	}, Groups: map[string]lower.Group{"a": group("a", nil), "b": group("b", func(g *elb.TargetGroup) { g.Type = elb.TargetInstance }), "empty": group("empty", nil)}}
	b.Groups["a"] = lower.Group{TargetGroup: b.Groups["a"].TargetGroup, Attributes: map[string]string{elb.AttrCrossZone: "false"}}
	target := func(group, id, place string) *elb.Target {
		return &elb.Target{Home: home, Group: group, TargetKey: elb.TargetKey{ID: id, Port: 8080}, Place: place}
	}
	drains := target("a", "10.0.0.7", "us-east-1a")
	drains.DrainingSince = time.Unix(1, 0)
	healthy := func(t *elb.Target, at, state, reason string) *elb.TargetHealth {
		return &elb.TargetHealth{Home: home, Group: t.Group, TargetKey: t.TargetKey, Addr: netip.MustParseAddr(at), LoadBalancer: l.ID, Interface: "eni-a", State: state, Reason: reason}
	}
	one, sick, other := target("a", "10.0.0.4", "us-east-1a"), target("a", "10.0.0.5", "us-east-1a"), target("a", "10.0.1.4", "us-east-1b")
	machine, nowhere := target("b", "i-1", "us-east-1a"), target("b", "i-2", "us-east-1a")
	s := route.State{World: world{},
		Nodes: []elb.Node{{Zone: "us-east-1a", Machine: "m1", Interface: "eni-a", Private: netip.MustParseAddr("10.0.0.3"), Public: netip.MustParseAddr("198.18.0.1"), Serving: true},
			{Zone: "us-east-1b", Machine: "m2", Interface: "eni-b", Private: netip.MustParseAddr("10.0.1.3")}},
		Targets: map[string][]*elb.Target{"a": {other, sick, drains, one}, "b": {machine, nowhere}},
		Healths: map[string][]*elb.TargetHealth{"a": {healthy(one, "10.0.0.4", elb.Healthy, ""), healthy(sick, "10.0.0.5", elb.Unhealthy, "Target.Timeout")},
			"b": {healthy(machine, "192.0.2.1", elb.Unhealthy, "Target.FailedHealthChecks")}}}
	return b, s
}

func TestExplain(t *testing.T) {
	q := func(change func(*route.Request)) route.Request {
		r := route.Request{Protocol: "http", Host: "www.example.com", Port: 80, Method: "GET", Path: "/", Source: netip.MustParseAddr("198.51.100.1")}
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		q      route.Request
		served bool
		want   []string // in the text, in this order
	}{
		"forwarded to two groups": {q(func(r *route.Request) { r.Host, r.Path = "WWW.example.com", "/api/x" }), true, []string{
			"node      ok    198.18.0.1 (10.0.0.3 inside of the VPC) in us-east-1a, on m1", "node      no    10.0.1.3 in us-east-1b does not serve yet",
			"listener  ok    HTTP arn:aws:elasticloadbalancing", `rule 10   TAKES host-header: "WWW.example.com" is *.example.com; path-pattern: "/api/x" is /api/*`,
			"group     ok    tg-a, 90 of 100 requests", "target    ok    10.0.0.4:8080 in us-east-1a: it is healthy", "target    no    10.0.0.5:8080 in us-east-1a: from us-east-1a it is unhealthy (Target.Timeout)",
			"target    no    10.0.0.7:8080 in us-east-1a: it is deregistered", "target    no    10.0.1.4:8080 in us-east-1b: from us-east-1a it is in another zone (us-east-1b), and zones are not crossed",
			"group     ok    tg-b, 10 of 100 requests: too few are healthy, so that all get requests from us-east-1a", "target    ok    i-1:8080 at 192.0.2.1:8080 in us-east-1a: from us-east-1a it is unhealthy",
			"target    no    i-2:8080 in us-east-1a: it has no address here", "it goes to a target of tg-a (1) or tg-b (1)",
		}},
		"an empty group": {q(func(r *route.Request) { r.Headers = []elb.Pair{{Key: "x-beta", Value: "1"}} }), false, []string{
			`rule 10   no    path-pattern: "/" is not /api/* or /v?/*`, `rule 20   TAKES http-header X-Beta: "1" is 1`, "group     ok    tg-empty: it has no targets",
			"it is answered with 503: tg-empty has no target for nodes in us-east-1a"}},
		"a redirect": {q(func(r *route.Request) { r.Path, r.Query = "/login", "a=b" }), true, []string{
			"rule 20   no    http-header X-Beta: the request has no such header", "rule 30   TAKES", "it is answered with 301, to https://www.example.com:443/login?a=b"}},
		"no weight": {q(func(r *route.Request) { r.Query, r.Source = "x=1&V=0", netip.MustParseAddr("10.1.1.1") }), false, []string{
			`rule 40   TAKES query-string: "V=0" is v=0; source-ip: 10.1.1.1 is in 10.0.0.0/8`, "no target group of the action has a weight: it is answered with 503"}},
		"another method": {q(func(r *route.Request) { r.Method = "POST" }), true, []string{`rule 40   no    query-string: "" has no v=0`, `rule 50   TAKES http-request-method: "POST" is POST`}},
		"the default":    {q(func(r *route.Request) {}), true, []string{`rule 50   no    http-request-method: "GET" is not POST`, "default   TAKES it takes everything", "it is answered with 404 by the load balancer itself"}},
		"plain to HTTPS": {q(func(r *route.Request) { r.Port = 443 }), false, []string{"the listener speaks HTTPS, and the request is plain HTTP"}},
		"TLS to HTTP":    {q(func(r *route.Request) { r.Protocol = "https" }), false, []string{"no TLS connection begins"}},
		"no listener":    {q(func(r *route.Request) { r.Port = 81 }), false, []string{"nothing listens on port 81"}},
	} {
		b, s := shop()
		a := route.Explain(b, s, c.q)
		text := a.Text()
		rest := text
		for _, want := range c.want {
			at := strings.Index(rest, want)
			if at < 0 {
				t.Errorf("%s: %q is not (or not there) in\n%s", name, want, text)
				break
			}
			rest = rest[at+len(want):]
		}
		if a.Served != c.served {
			t.Errorf("%s: served %v\n%s", name, a.Served, text)
		}
		var back route.Answer
		if data, err := json.Marshal(a); err != nil || json.Unmarshal(data, &back) != nil || back.Text() != text || back.Served != a.Served {
			t.Errorf("%s: as JSON it is another answer: %v\n%s", name, err, data)
		}
	}
	b, s := shop()
	s.Nodes = s.Nodes[1:]
	if a := route.Explain(b, s, q(func(*route.Request) {})); a.Served || !strings.Contains(a.Verdict, "no node") {
		t.Errorf("without a node: %+v", a)
	}
}

func TestNetworkLoadBalancer(t *testing.T) {
	l := &elb.LoadBalancer{Home: home, ID: "1", Name: "db", Type: elb.TypeNetwork, Zones: []elb.Zone{{Name: "a"}}}
	g := group("g", func(g *elb.TargetGroup) { g.Protocol = elb.TCP })
	b := &lower.Balancer{LoadBalancer: l, Groups: map[string]lower.Group{"g": g},
		Listeners: []lower.Listener{{Listener: &elb.Listener{Home: home, LoadBalancer: "1", ID: "l", Port: 5432, Protocol: elb.TCP, Default: forward(elb.Weighted{Group: "g", Weight: 1})}}}}
	s := route.State{World: world{}, Nodes: []elb.Node{{Zone: "a", Interface: "eni", Serving: true}}}
	a := route.Explain(b, s, route.Request{Protocol: "tcp", Host: "x", Port: 5432})
	if a.Served || a.Verdict != "the connection is closed: tg-g has no target for nodes in a" {
		t.Errorf("%+v", a)
	}
	s.Targets = map[string][]*elb.Target{"g": {{Home: home, Group: "g", TargetKey: elb.TargetKey{ID: "10.0.0.4", Port: 5432}, Place: "a"}}}
	a = route.Explain(b, s, route.Request{Protocol: "tcp", Host: "x", Port: 5432})
	if !a.Served || !reflect.DeepEqual(a.Groups[0].Open, []string{"a"}) || a.Groups[0].Candidates[0].State != elb.Initial {
		t.Errorf("%+v", a)
	}
}

// What the page shows is what is said.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/lb-explain.md")
	if err != nil {
		t.Fatal(err)
	}
	b, s := shop()
	for _, q := range []route.Request{
		{Protocol: "http", Host: "www.example.com", Port: 80, Method: "GET", Path: "/api/orders", Source: netip.MustParseAddr("198.51.100.1")},
		{Protocol: "http", Host: "www.example.com", Port: 80, Method: "GET", Path: "/login", Query: "next=/cart", Source: netip.MustParseAddr("198.51.100.1")},
	} {
		if text := route.Explain(b, s, q).Text(); !strings.Contains(string(page), text) {
			t.Errorf("docs/lb-explain.md does not show\n%s", text)
		}
	}
}
