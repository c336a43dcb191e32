package xds

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/proxyconf"
)

// taken is the group that Envoy tries for a host: that of its name, else of its longest end, else everything's.
func taken(all []group, host string) group {
	var best group
	for _, g := range all {
		end, isEnd := suffix(g.domain)
		switch {
		case g.domain == host:
			return g
		case isEnd && len(host) > len(end) && strings.HasSuffix(host, end) && len(g.domain) > len(best.domain):
			best = g
		}
	}
	return best
}

// Whichever hosts have a group of their own, the first rule that takes a request is taken, and no more routes are told than there is room for.
func TestGroupsKeepTheOrder(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(3, 4))}
	for range 3000 {
		var routes []proxyconf.Route
		for j := range 1 + d.IntN(12) {
			r := proxyconf.Route{Name: strconv.Itoa(j)}
			for range d.IntN(3) {
				r.Matches = append(r.Matches, d.match())
			}
			routes = append(routes, r)
		}
		routes = append(routes, proxyconf.Route{Name: "last"})
		room := d.IntN(5) * len(routes)
		all := grouped(routes, room)
		told := 0
		for _, g := range all {
			told += len(g.routes)
		}
		if told > room+len(routes) {
			t.Fatalf("%d routes are told, room for %d", told, room+len(routes))
		}
		for range 20 {
			a := d.asking()
			name, _, _ := strings.Cut(strings.ToLower(a.host), ":")
			want, got := a.first(routes), a.first(taken(all, name).routes)
			if want != got {
				t.Fatalf("with room for %d, rule %s is taken, not %s, for %+v\n%+v", room, got, want, a, all)
			}
		}
	}
}

func (a asking) first(routes []proxyconf.Route) string {
	for _, r := range routes {
		if a.slowly(r) {
			return r.Name
		}
	}
	return "none"
}

// A host that many rules ask for beside one of their own has a group, also where there is no room for all.
func TestTheHostOfManyRulesHasAGroup(t *testing.T) {
	var routes []proxyconf.Route
	for i := range 100 {
		m := []proxyconf.Match{{Of: "path", Globs: []string{fmt.Sprintf("/%d/*", i)}}}
		if i%2 == 0 {
			m = append(m, proxyconf.Match{Of: "host", Globs: []string{"www.example.com", fmt.Sprintf("s%d.example.com", i)}})
		}
		routes = append(routes, proxyconf.Route{Name: strconv.Itoa(i), Matches: m})
	}
	g := taken(groups(routes), "www.example.com")
	if g.domain != "www.example.com" || len(g.routes) != 100 {
		t.Fatalf("its group is %s of %d routes", g.domain, len(g.routes))
	}
	for _, r := range g.routes {
		if _, ok := asked(r); ok {
			t.Fatalf("route %s looks at the host again", r.Name)
		}
	}
}
