package lowering_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
	"github.com/berth-ecs/berth/elb/route"
	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/mesh/xds/envoytest"
	"github.com/berth-ecs/berth/mesh/xds/xdstest"
)

// dice makes rules and requests that often meet.
type dice struct{ *rand.Rand }

func (d dice) of(all ...string) string { return all[d.IntN(len(all))] }

func (d dice) some(all ...string) (out []string) {
	for range 1 + d.IntN(3) {
		out = append(out, d.of(all...))
	}
	return out
}

var (
	hosts   = []string{"a.example.com", "B.example.com", "x.a.example.com", "example.org", "example.com"}
	globs   = []string{"a.example.com", "*.example.com", "*.A.Example.com", "?.example.*", "*", "*.org", "example*", "b.EXAMPLE.com"}
	paths   = []string{"/", "/a", "/a/b", "/A/b", "/a/b/c.png", "/x%20y", "/a?b", "//a", "/v1/x", "/a*"}
	ways    = []string{"/", "/a", "/a/*", "/?/b", "*.png", "/v?/*", "/*", "/A*", "*b*", "/x%20y"}
	queries = []string{"", "k=v", "K=V", "k=v&k2=", "flag", "k=v=w", "k", "x=1&k=vv", "=v", "k=%76"}
	values  = []string{"1", "beta", "Beta-2", "a, b", ""}
	matches = []string{"1", "beta*", "*A*", "?", "*", "bet?-2"}
	sources = []string{"10.0.0.1", "10.1.0.1", "192.0.2.7", "198.51.100.1"}
)

func (d dice) condition() elb.Condition {
	regex := d.IntN(5) == 0
	pick := func(c elb.Condition, globs, regexes []string) elb.Condition {
		if regex {
			c.Regex = d.some(regexes...)
		} else {
			c.Values = d.some(globs...)
		}
		return c
	}
	switch d.IntN(6) {
	case 0:
		return pick(elb.Condition{Field: "host-header"}, globs, []string{"^a\\.", "com$", "EXAMPLE", "^[ab]\\.example\\.com$"})
	case 1:
		return pick(elb.Condition{Field: "path-pattern"}, ways, []string{"^/a", "b$", "^/[av]1?(/.*)?$", "png"})
	case 2:
		return pick(elb.Condition{Field: "http-header", Header: d.of("X-One", "x-two", "User-Agent")}, matches, []string{"^1$", "eta", "^B"})
	case 3:
		return elb.Condition{Field: "http-request-method", Values: d.some("GET", "POST", "PUT", "X-OTHER")}
	case 4:
		c := elb.Condition{Field: "query-string"}
		for range 1 + d.IntN(2) {
			c.Query = append(c.Query, elb.Pair{Key: d.of("", "k", "K*", "?", "x"), Value: d.of("v", "V*", "*", "", "1", "?")})
		}
		return c
	}
	return elb.Condition{Field: "source-ip", Values: d.some("10.0.0.0/16", "10.0.0.0/8", "192.0.2.0/24", "198.51.100.1/32")}
}

func (d dice) action(n int) elb.Action {
	switch d.IntN(8) {
	case 0:
		return elb.Action{Type: "redirect", Redirect: &elb.Redirect{Protocol: d.of("HTTPS", "#{protocol}"), Host: d.of("#{host}", "y.com"), Port: d.of("443", "#{port}"),
			Path: d.of("/#{path}", "/p/#{path}/q", "/p", "/#{host}/#{port}"), Query: d.of("#{query}", "", "q=1"), Status: d.of("HTTP_301", "HTTP_302")}}
	case 1, 2:
		return elb.Action{Type: "forward", Groups: []elb.Weighted{{Group: fmt.Sprint("g", d.IntN(4)), Weight: int32(d.IntN(2))}}}
	case 3:
		return elb.Action{Type: "forward", Groups: []elb.Weighted{{Group: "g0", Weight: 1}, {Group: fmt.Sprint("g", 1+d.IntN(3)), Weight: int32(d.IntN(2))}}}
	}
	return elb.Action{Type: "fixed-response", Fixed: &elb.Fixed{Status: d.of("200", "404", "503"), ContentType: "text/plain", Body: fmt.Sprintf("rule %d %%x", n)}}
}

// balancer is a load balancer whose listeners have rules at random. Group g3 has no targets.
func (d dice) balancer(listeners int) (*lower.Balancer, map[string][]*elb.Target) {
	l := &elb.LoadBalancer{Home: home, ID: "lb", Name: "web", Type: elb.TypeApplication, Zones: []elb.Zone{{Name: "a"}}}
	b, targets := &lower.Balancer{LoadBalancer: l, Groups: map[string]lower.Group{}}, map[string][]*elb.Target{}
	for n := range 4 {
		id := fmt.Sprint("g", n)
		b.Groups[id] = lower.Group{TargetGroup: &elb.TargetGroup{Home: home, ID: id, Name: id, Type: elb.TargetIP, Protocol: elb.HTTP, Version: elb.HTTP1}}
		if n < 3 {
			targets[id] = []*elb.Target{{Home: home, Group: id, TargetKey: elb.TargetKey{ID: "10.0.0.9", Port: int32(9000 + n)}, Place: "a"}}
		}
	}
	for n := range listeners {
		one := lower.Listener{Listener: &elb.Listener{Home: home, LoadBalancer: l.ID, ID: fmt.Sprint("l", n), Port: int32(1000 + n), Protocol: elb.HTTP, Default: []elb.Action{d.action(0)}}}
		for p := range 1 + d.IntN(12) {
			r := &elb.Rule{Home: home, LoadBalancer: l.ID, Listener: one.ID, ID: fmt.Sprint("r", p), Priority: int32(p*10 + 10), Actions: []elb.Action{d.action(p + 1)}}
			for range 1 + d.IntN(2) {
				if c := d.condition(); !slices.ContainsFunc(r.Conditions, func(o elb.Condition) bool {
					return o.Field == c.Field && c.Field != "http-header" && c.Field != "query-string"
				}) {
					r.Conditions = append(r.Conditions, c)
				}
			}
			one.Rules = append(one.Rules, r)
		}
		d.Shuffle(len(one.Rules), func(i, j int) { one.Rules[i], one.Rules[j] = one.Rules[j], one.Rules[i] })
		b.Listeners = append(b.Listeners, one)
	}
	return b, targets
}

func (d dice) request(port int) route.Request {
	q := route.Request{Protocol: "http", Host: d.of(hosts...), Port: uint16(port), Method: d.of("GET", "GET", "POST", "PUT", "DELETE"), Source: netip.MustParseAddr(d.of(sources...))}
	q.Path, _, _ = strings.Cut(d.of(paths...), "?")
	q.Query = d.of(queries...)
	for range d.IntN(3) {
		q.Headers = append(q.Headers, elb.Pair{Key: d.of("x-one", "X-Two"), Value: d.of(values...)})
	}
	return q
}

func raw(q route.Request, port bool) string {
	target, host := q.Path, q.Host
	if q.Query != "" {
		target += "?" + q.Query
	}
	if port {
		host += fmt.Sprintf(":%d", q.Port)
	}
	lines := []string{q.Method + " " + target + " HTTP/1.1", "Host: " + host, "Connection: close", "Content-Length: 0"}
	for _, h := range q.Headers {
		lines = append(lines, h.Key+": "+h.Value)
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// What explain says of a request is what Envoy does with it that was told the same records.
func TestExplainIsWhatEnvoyDoes(t *testing.T) {
	rounds := uint64(3)
	if os.Getenv("BERTH_TEST_LONG") != "" {
		rounds = 100
	}
	for seed := range rounds {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { explainAndEnvoy(t, dice{rand.New(rand.NewPCG(seed, 143))}) })
	}
}

func explainAndEnvoy(t *testing.T, d dice) {
	t.Helper()
	const listeners, requests = 40, 20
	b, targets := d.balancer(listeners)
	n := elb.Node{Zone: "a", Interface: "eni-1", Machine: "m", Serving: true}
	part := b.Part(n)
	all, err := xds.Resources(part)
	if err != nil {
		t.Fatal(err)
	}
	for id, g := range b.Groups {
		all = append(all, xds.Endpoints(lower.Endpoints(b.Pool(id, n.Zone), g.TargetGroup, targets[id], nil)))
	}
	dir := xdstest.Run(t, all)
	for i := range 3 {
		xdstest.Target(t, dir, uint16(9000+i), fmt.Sprint("target of g", i))
	}
	outcomes := map[string]int{}
	state := route.State{Nodes: []elb.Node{n}, Targets: targets}
	for i := range listeners {
		for range requests {
			q := d.request(1000 + i)
			a := route.Explain(b, state, q)
			hostInPath := strings.Contains(a.Decision.Location, "/"+q.Host+"/") // Envoy puts in the port, too, where the request says one
			text := raw(q, d.IntN(4) == 0 && !hostInPath)
			r, body := envoytest.Send(t, filepath.Join(dir, strconv.Itoa(1000+i)), q.Source.String(), text) //nolint:bodyclose // it has been read
			got := answer{r.StatusCode, r.Header.Get("Location"), body}
			if want := expected(a); !slices.ContainsFunc(want, got.is) {
				t.Errorf("%q from %s:\nEnvoy answers %+v\nexplain says %+v\n%s", text, q.Source, got, want, a.Text())
			}
			outcomes[a.Decision.Action]++
		}
	}
	for _, action := range []string{"redirect", "forward", "fixed-response"} {
		if outcomes[action] < 20 {
			t.Errorf("%d requests came to a %s of %v", outcomes[action], action, outcomes)
		}
	}
}

// answer is what a client gets.
type answer struct {
	status         int
	location, body string
}

// is says whether it is what was wanted. A page of the load balancer's own is not looked at.
func (a answer) is(want answer) bool {
	return a.status == want.status && a.location == want.location && (a.body == want.body || want.body == page)
}

const page = "any"

// expected are the answers that an explanation allows.
func expected(a route.Answer) []answer {
	d := a.Decision
	switch {
	case d.Action == "fixed-response":
		return []answer{{d.Status, "", d.Body}}
	case d.Status != 0:
		return []answer{{d.Status, d.Location, page}}
	}
	var out []answer
	for _, g := range a.Groups {
		if len(g.Closed) > 0 {
			out = append(out, answer{503, "", page})
			continue
		}
		out = append(out, answer{200, "", "target of " + g.Name})
	}
	return out
}
