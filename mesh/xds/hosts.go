package xds

import (
	"slices"
	"strings"

	"github.com/berth-ecs/berth/proxyconf"
)

// group are the routes that hosts of one kind may take, in order. What the group itself makes sure of is no condition of them any more.
type group struct {
	domain string // as Envoy has it: a name, or * and the end of names, or *
	routes []proxyconf.Route
}

const (
	everywhere = "*"
	// Routes may be told repeats times over, and repeatFree more, for the sake of groups.
	repeats    = 4
	repeatFree = 64
)

// groups puts routes together by the hosts that they ask for. A request tries the group of its host, else that of the longest end of its host, else the last.
func groups(routes []proxyconf.Route) []group {
	var out []group
	room := repeats*len(routes) + repeatFree
	for _, d := range domains(routes) {
		g := group{domain: d}
		for _, r := range routes {
			if kept, may := inGroup(r, d); may {
				g.routes = append(g.routes, kept)
			}
		}
		if room -= len(g.routes); room < 0 {
			return []group{{everywhere, routes}}
		}
		out = append(out, g)
	}
	return out
}

// asked is the only condition of hosts that a route has, where it is made of globs: such a one a group may make sure of.
func asked(r proxyconf.Route) (at int, ok bool) {
	at = -1
	for i, m := range r.Matches {
		if m.Of != "host" {
			continue
		}
		if at >= 0 || len(m.Regexes) > 0 {
			return -1, false
		}
		at = i
	}
	return at, at >= 0
}

// domains are those that groups are made of, the last of them everything.
func domains(routes []proxyconf.Route) []string {
	found := map[string]bool{}
	for _, r := range routes {
		at, ok := asked(r)
		if !ok {
			continue
		}
		for _, g := range r.Matches[at].Globs {
			g = strings.ToLower(g)
			end, isEnd := suffix(g)
			switch {
			case literal(g):
				found[g] = true
			case isEnd && end != "":
				found[g], found[end] = true, true // in Envoy * is at least one character
			}
		}
	}
	delete(found, "")
	out := make([]string, 0, len(found)+1)
	for d := range found {
		out = append(out, d)
	}
	slices.Sort(out)
	return append(out, everywhere)
}

// inGroup is a route as the group of a domain has it; may is false when no host of the group takes it.
func inGroup(r proxyconf.Route, domain string) (kept proxyconf.Route, may bool) {
	at, ok := asked(r)
	if !ok {
		return r, true
	}
	var left []string
	for _, g := range r.Matches[at].Globs {
		switch meets(strings.ToLower(g), domain) {
		case always:
			r.Matches = slices.Delete(slices.Clone(r.Matches), at, at+1)
			return r, true
		case sometimes:
			left = append(left, g)
		}
	}
	if len(left) == 0 {
		return r, false
	}
	r.Matches = slices.Clone(r.Matches)
	r.Matches[at].Globs = left
	return r, true
}

const (
	never = iota
	sometimes
	always
)

// meets says which hosts of a domain's group a glob takes. Hosts that are named, and those of a longer end that is asked for, are in groups of their own.
func meets(glob, domain string) int {
	end, group := suffix(domain)
	if !group {
		if globbed(glob, domain) {
			return always
		}
		return never
	}
	other, isEnd := suffix(glob)
	switch {
	case isEnd && strings.HasSuffix(end, other):
		return always
	case isEnd, literal(glob):
		return never
	}
	return sometimes
}
