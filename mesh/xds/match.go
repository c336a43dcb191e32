package xds

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp/syntax"
	"slices"
	"strings"

	xdscore "github.com/cncf/xds/go/xds/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/berth-ecs/berth/proxyconf"
)

// sourceKey is the name under which a connection's address is kept where routes ask for it.
const sourceKey = "berth.source"

// conditions are a route's, as Envoy has them. Each of paths is a way to be taken; all else must be true besides.
type conditions struct {
	paths []*route.RouteMatch // with a path alone
	rest  route.RouteMatch    // without one
}

// matches are the conditions of a route in Envoy: any of them.
func matches(all []proxyconf.Match) ([]*route.RouteMatch, error) {
	c := conditions{}
	for _, m := range all {
		if err := c.add(m); err != nil {
			return nil, fmt.Errorf("condition of %s: %w", m.Of, err)
		}
	}
	if len(c.paths) == 0 {
		c.paths = []*route.RouteMatch{{PathSpecifier: &route.RouteMatch_Prefix{Prefix: ""}}}
	}
	for _, p := range c.paths {
		p.Headers, p.FilterState = c.rest.GetHeaders(), c.rest.GetFilterState()
	}
	return c.paths, nil
}

var (
	errValueless = errors.New("it has no value")
	errTwice     = errors.New("a second one of the path has a regular expression")
)

func (c *conditions) add(m proxyconf.Match) error {
	if len(m.Globs)+len(m.Regexes)+len(m.Sources)+len(m.Queries) == 0 {
		return errValueless
	}
	for i, r := range m.Regexes {
		parsed, err := syntax.Parse(r, syntax.Perl) // Envoy's expressions are Go's
		if err != nil {
			return err
		}
		if m.Of == "host" {
			if i == 0 {
				m.Regexes = slices.Clone(m.Regexes)
			}
			m.Regexes[i] = beforePort(parsed).String()
		}
	}
	switch m.Of {
	case "host":
		c.header(":authority", ofHosts.of(m))
	case "path":
		return c.path(m)
	case "header":
		c.rest.Headers = append(c.rest.Headers, &route.HeaderMatcher{
			Name: strings.ToLower(m.Name), HeaderMatchSpecifier: &route.HeaderMatcher_StringMatch{StringMatch: value(m)},
		})
	case "method":
		c.header(":method", ofAll.of(m))
	case "query":
		c.header(":path", query(m.Queries))
	case "source":
		c.source(m.Sources)
	default:
		return errors.New("no proxy knows it")
	}
	return nil
}

// dialect is how globs become regular expressions.
type dialect struct {
	many, one  string // what * and ? are
	flags, end string // around all
}

var (
	ofHosts   = dialect{".*", ".", "(?is)", "(?::[0-9]+)?"}
	ofAll     = dialect{".*", ".", "(?s)", ""}
	ofTargets = dialect{"[^?]*", "[^?]", "", `(?:\?.*)?`} // paths and queries
)

// beforePort is an expression whose end of text may also be where the port of a host begins.
func beforePort(r *syntax.Regexp) *syntax.Regexp {
	if r.Op == syntax.OpEndText {
		end, err := syntax.Parse(ofHosts.end+"$", syntax.Perl)
		if err != nil {
			return r
		}
		return end
	}
	for i, sub := range r.Sub {
		r.Sub[i] = beforePort(sub)
	}
	return r
}

// of is what takes any value of m, in full. A regular expression takes what holds it.
func (d dialect) of(m proxyconf.Match) string {
	var any []string
	for _, g := range m.Globs {
		any = append(any, expression(g, d.many, d.one))
	}
	for _, r := range m.Regexes {
		any = append(any, ".*(?:"+r+").*")
	}
	return d.flags + oneOf(any) + d.end
}

func (c *conditions) header(name, expression string) {
	c.rest.Headers = append(c.rest.Headers, &route.HeaderMatcher{
		Name: name, HeaderMatchSpecifier: &route.HeaderMatcher_StringMatch{StringMatch: regex(expression)},
	})
}

func regex(expression string) *matcher.StringMatcher {
	return &matcher.StringMatcher{MatchPattern: &matcher.StringMatcher_SafeRegex{SafeRegex: &matcher.RegexMatcher{Regex: expression}}}
}

// path adds a condition of the path, which ends where the query begins. Case counts.
func (c *conditions) path(m proxyconf.Match) error {
	if len(c.paths) > 0 { // a second one: Envoy has one of them, but what it calls a header holds the query too
		if len(m.Regexes) > 0 {
			return errTwice
		}
		c.header(":path", ofTargets.of(m))
		return nil
	}
	var simple []*route.RouteMatch
	for _, g := range m.Globs {
		switch p, ends := prefix(g); {
		case literal(g):
			simple = append(simple, &route.RouteMatch{PathSpecifier: &route.RouteMatch_Path{Path: g}})
		case ends:
			simple = append(simple, &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: p}})
		}
	}
	if len(simple) == len(m.Globs) && len(m.Regexes) == 0 {
		c.paths = simple
		return nil
	}
	c.paths = []*route.RouteMatch{{PathSpecifier: &route.RouteMatch_SafeRegex{SafeRegex: &matcher.RegexMatcher{Regex: ofAll.of(m)}}}}
	return nil
}

// value is what takes a header's value. Case does not count, but in regular expressions.
func value(m proxyconf.Match) *matcher.StringMatcher {
	if len(m.Globs) != 1 || len(m.Regexes) > 0 {
		var any []string
		for _, g := range m.Globs {
			any = append(any, "(?i:"+expression(g, ".*", ".")+")")
		}
		for _, r := range m.Regexes {
			any = append(any, ".*(?:"+r+").*")
		}
		return regex("(?s)" + oneOf(any))
	}
	g := m.Globs[0]
	if literal(g) {
		return &matcher.StringMatcher{IgnoreCase: true, MatchPattern: &matcher.StringMatcher_Exact{Exact: g}}
	}
	if s, ok := prefix(g); ok && s != "" {
		return &matcher.StringMatcher{IgnoreCase: true, MatchPattern: &matcher.StringMatcher_Prefix{Prefix: s}}
	}
	if s, ok := suffix(g); ok && s != "" {
		return &matcher.StringMatcher{IgnoreCase: true, MatchPattern: &matcher.StringMatcher_Suffix{Suffix: s}}
	}
	if s, ok := within(g); ok {
		return &matcher.StringMatcher{IgnoreCase: true, MatchPattern: &matcher.StringMatcher_Contains{Contains: s}}
	}
	return regex("(?is)" + expression(g, ".*", "."))
}

// query takes a path with a parameter that is one of pairs. Case does not count; nothing is decoded.
func query(pairs [][2]string) string {
	var any []string
	for _, p := range pairs {
		key := "[^&=]*"
		if p[0] != "" {
			key = expression(p[0], "[^&=]*", "[^&=]")
		}
		v := expression(p[1], "[^&]*", "[^&]")
		if globbed(p[1], "") { // a parameter without = has an empty value
			any = append(any, key+"(?:="+v+")?")
			continue
		}
		any = append(any, key+"="+v)
	}
	return `(?is)[^?]*\?(?:.*&)?` + oneOf(any) + `(?:&.*)?`
}

// source takes connections from one of ranges.
func (c *conditions) source(ranges []netip.Prefix) {
	in := &matcher.AddressMatcher{}
	for _, r := range ranges {
		in.Ranges = append(in.Ranges, cidr(r))
	}
	c.rest.FilterState = append(c.rest.FilterState, &matcher.FilterStateMatcher{
		Key: sourceKey, Matcher: &matcher.FilterStateMatcher_AddressMatch{AddressMatch: in},
	})
}

func cidr(p netip.Prefix) *xdscore.CidrRange {
	return &xdscore.CidrRange{AddressPrefix: p.Masked().Addr().String(), PrefixLen: u32(uint32(p.Bits()))}
}
