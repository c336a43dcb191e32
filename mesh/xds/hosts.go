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
// When there is no room for a group of each host, those that most routes ask for have one.
func groups(routes []proxyconf.Route) []group {
	return grouped(routes, (repeats-1)*len(routes)+repeatFree) // everywhere takes all of them at the most
}

func grouped(routes []proxyconf.Route, room int) []group {
	all := domains(routes)
	chosen := map[string]bool{everywhere: true}
	for _, d := range byUse(routes, all) {
		if n := len(groupOf(routes, d, nil).routes); n <= room {
			chosen[d], room = true, room-n
		}
	}
	var out []group
	for _, d := range all {
		if chosen[d] {
			out = append(out, groupOf(routes, d, chosen))
		}
	}
	return out
}

// groupOf is the group of a domain among those that are chosen; nil: as few as that makes possible are, and it is at its largest.
func groupOf(routes []proxyconf.Route, domain string, chosen map[string]bool) group {
	g := group{domain: domain}
	for _, r := range routes {
		if kept, may := inGroup(r, domain, chosen); may {
			g.routes = append(g.routes, kept)
		}
	}
	return g
}

// byUse are domains but for the last, those first that most routes ask for.
func byUse(routes []proxyconf.Route, all []string) []string {
	uses := map[string]int{}
	for _, r := range routes {
		if at, ok := asked(r); ok {
			for _, g := range r.Matches[at].Globs {
				uses[strings.ToLower(g)]++
			}
		}
	}
	out := slices.Clone(all[:len(all)-1])
	slices.SortStableFunc(out, func(a, b string) int { return uses[b] - uses[a] })
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
func inGroup(r proxyconf.Route, domain string, chosen map[string]bool) (kept proxyconf.Route, may bool) {
	at, ok := asked(r)
	if !ok {
		return r, true
	}
	var left []string
	for _, g := range r.Matches[at].Globs {
		switch meets(strings.ToLower(g), domain, chosen) {
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

// meets says which hosts of a domain's group a glob takes. Hosts that are chosen by name, and those of a longer end that is, are in groups of their own.
func meets(glob, domain string, chosen map[string]bool) int {
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
	case isEnd && chosen[glob] && chosen[other], literal(glob) && chosen[glob]:
		return never
	}
	return sometimes
}
