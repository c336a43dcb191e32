package lower

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/proxyconf"
)

// InOrder are the rules of a listener in the order in which they are tried, the default one last.
func InOrder(l *elb.Listener, rules []*elb.Rule) []*elb.Rule {
	sorted := slices.SortedFunc(slices.Values(rules), func(x, y *elb.Rule) int {
		return cmp.Or(cmp.Compare(x.Priority, y.Priority), cmp.Compare(x.ID, y.ID))
	})
	return append(sorted, l.DefaultRule())
}

func (b *Balancer) routes(l Listener) []proxyconf.Route {
	var out []proxyconf.Route
	for _, r := range InOrder(l.Listener, l.Rules) {
		one := b.route(r)
		one.Name = b.LoadBalancer.RuleARN(l.ID, r.ID)
		out = append(out, one)
	}
	return out
}

// unavailable is the answer of a way that leads to no group.
const unavailable = 503

func (b *Balancer) route(r *elb.Rule) proxyconf.Route {
	out := proxyconf.Route{Priority: int(r.Priority)}
	for _, c := range r.Conditions {
		out.Matches = append(out.Matches, match(c))
	}
	var last elb.Action
	if len(r.Actions) > 0 {
		last = slices.MaxFunc(r.Actions, func(x, y elb.Action) int { return cmp.Compare(x.Order, y.Order) })
	}
	switch {
	case last.Redirect != nil:
		out.Redirect = redirect(last.Redirect)
	case last.Fixed != nil:
		out.Fixed = &proxyconf.Fixed{Status: number(last.Fixed.Status), ContentType: last.Fixed.ContentType, Body: last.Fixed.Body}
	default:
		if out.Forward = b.weighted(last.Groups); len(out.Forward) == 0 {
			out.Fixed = &proxyconf.Fixed{Status: unavailable}
			break
		}
		out.Sticky = time.Duration(last.Sticky) * time.Second
	}
	return out
}

// weighted are the groups of an action that there are.
func (b *Balancer) weighted(groups []elb.Weighted) []proxyconf.Weighted {
	var out []proxyconf.Weighted
	for _, w := range groups {
		if g, ok := b.Groups[w.Group]; ok {
			out = append(out, proxyconf.Weighted{Cluster: g.ARN(), Weight: uint32(w.Weight)})
		}
	}
	return out
}

func redirect(r *elb.Redirect) *proxyconf.Redirect {
	out := &proxyconf.Redirect{
		Protocol: cmp.Or(r.Protocol, "#{protocol}"), Host: cmp.Or(r.Host, "#{host}"), Port: cmp.Or(r.Port, "#{port}"),
		Path: cmp.Or(r.Path, "/#{path}"), Query: r.Query, Status: 302,
	}
	if r.Status == "HTTP_301" {
		out.Status = 301
	}
	return out
}

// fields are the words of conditions.
var fields = map[string]string{
	"host-header": "host", "path-pattern": "path", "http-header": "header", "http-request-method": "method", "query-string": "query", "source-ip": "source",
}

func match(c elb.Condition) proxyconf.Match {
	m := proxyconf.Match{Of: fields[c.Field], Name: c.Header, Regexes: c.Regex}
	for _, q := range c.Query {
		m.Queries = append(m.Queries, [2]string{q.Key, q.Value})
	}
	if m.Of != "source" {
		m.Globs = c.Values
		return m
	}
	for _, v := range c.Values {
		if p, err := netip.ParsePrefix(v); err == nil {
			m.Sources = append(m.Sources, p)
		}
	}
	return m
}

// forwarded are the IDs of the groups that some way leads to, in order.
func (b *Balancer) forwarded() []string {
	found := map[string]bool{}
	add := func(actions []elb.Action) {
		for _, a := range actions {
			for _, w := range a.Groups {
				if _, ok := b.Groups[w.Group]; ok {
					found[w.Group] = true
				}
			}
		}
	}
	for _, l := range b.Listeners {
		add(l.Default)
		for _, r := range l.Rules {
			add(r.Actions)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// cluster is a group as the node n uses it.
func (b *Balancer) cluster(g Group, n elb.Node) proxyconf.Cluster {
	of := func(key string) string { return g.Attribute(g.Attributes, key) }
	c := proxyconf.Cluster{
		Name:          g.ARN(),
		Endpoints:     b.Pool(g.ID, n.Zone).String(),
		Space:         n.Interface,
		Protocol:      "http1",
		TLS:           g.Protocol == elb.HTTPS,
		LeastRequests: of(elb.AttrAlgorithm) == elb.LeastOutstanding,
		SlowStart:     seconds(of(elb.AttrSlowStart)),
		ProxyV2:       of(elb.AttrProxyV2) == yes,
		CloseOnEnd:    g.Network() && of(elb.AttrTerminate) == yes,
		CloseOnFail:   g.Network() && of(elb.AttrUnhealthyEnds) == yes,
		MinHealthy:    number(of(elb.AttrRouteCount)),
		MinPercent:    number(of(elb.AttrRoutePercentage)), // off is 0
		Check:         check(g.TargetGroup),
	}
	if g.Type == elb.TargetInstance {
		c.Space = ""
	}
	switch {
	case g.Network():
		c.Protocol = "tcp"
	case g.Version == elb.HTTP2, g.Version == elb.GRPC:
		c.Protocol = "http2"
	}
	if of(elb.AttrSticky) == yes {
		stick(&c, of)
	}
	return c
}

func stick(c *proxyconf.Cluster, of func(string) string) {
	switch of(elb.AttrStickyType) {
	case elb.StickyByCookie:
		c.Cookie = &proxyconf.Cookie{Name: "AWSALB", For: seconds(of(elb.AttrLBCookie))}
	case elb.StickyByApp:
		c.Cookie = &proxyconf.Cookie{Name: "AWSALBAPP-0", App: of(elb.AttrAppCookieName), For: seconds(of(elb.AttrAppCookie))}
	case elb.StickyBySource:
		c.StickySource = true
	}
}

// check is how the group's targets are looked at; nil: they are not.
func check(g *elb.TargetGroup) *proxyconf.Check {
	k := g.Check
	if !k.Enabled {
		return nil
	}
	out := &proxyconf.Check{
		Protocol: k.Protocol, Path: k.Path, Interval: time.Duration(k.Interval) * time.Second, Timeout: time.Duration(k.Timeout) * time.Second,
		Healthy: int(k.Healthy), Unhealthy: int(k.Unhealthy), Codes: k.HTTPCodes, HTTP2: g.Version == elb.HTTP2 || g.Version == elb.GRPC,
		TLS: k.Protocol == elb.HTTPS,
	}
	if port, err := strconv.ParseUint(k.Port, 10, 16); err == nil {
		out.Port = uint16(port)
	}
	if g.Version == elb.GRPC && k.Protocol != elb.TCP {
		out.Protocol, out.Codes = "GRPC", k.GRPCCodes
	}
	return out
}
