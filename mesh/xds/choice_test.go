package xds

import (
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/mesh/xds/envoytest"
	"github.com/berth-ecs/berth/proxyconf"
)

// asking is a request as rules look at it.
type asking struct {
	method, host, path, query string
	headers                   map[string]string
	source                    netip.Addr
}

// slowly is the plainest reading of what a route says; what Envoy does is held to it.
func (a asking) slowly(r proxyconf.Route) bool {
	for _, m := range r.Matches {
		if !a.meets(m) {
			return false
		}
	}
	return true
}

func (a asking) meets(m proxyconf.Match) bool {
	lower := func(s string) string { return strings.ToLower(s) }
	same := func(s string) string { return s }
	any := func(text string, fold func(string) string, flags string) bool {
		for _, g := range m.Globs {
			if wild(fold(g), fold(text)) {
				return true
			}
		}
		for _, r := range m.Regexes {
			if regexp.MustCompile(flags + r).MatchString(text) {
				return true
			}
		}
		return false
	}
	switch m.Of {
	case "host":
		host, _, _ := strings.Cut(a.host, ":")
		return any(host, lower, "(?i)")
	case "path":
		return any(a.path, same, "")
	case "method":
		return any(a.method, same, "")
	case "header":
		v, ok := a.headers[lower(m.Name)]
		return ok && any(v, lower, "")
	case "query":
		return a.queried(m.Queries)
	}
	for _, p := range m.Sources {
		if p.Contains(a.source) {
			return true
		}
	}
	return false
}

func (a asking) queried(pairs [][2]string) bool {
	if a.query == "" {
		return false
	}
	for p := range strings.SplitSeq(strings.ToLower(a.query), "&") {
		k, v, _ := strings.Cut(p, "=")
		for _, want := range pairs {
			if (want[0] == "" || wild(strings.ToLower(want[0]), k)) && wild(strings.ToLower(want[1]), v) {
				return true
			}
		}
	}
	return false
}

// wild tells whether a glob takes a text, by trying everything.
func wild(glob, text string) bool {
	if glob == "" {
		return text == ""
	}
	switch glob[0] {
	case '*':
		return wild(glob[1:], text) || text != "" && wild(glob, text[1:])
	case '?':
		return text != "" && wild(glob[1:], text[1:])
	}
	return text != "" && text[0] == glob[0] && wild(glob[1:], text[1:])
}

// dice makes rules and requests that often meet.
type dice struct{ *rand.Rand }

func (d dice) of(all ...string) string { return all[d.IntN(len(all))] }

func (d dice) some(n int, make func() string) (out []string) {
	for range 1 + d.IntN(n) {
		out = append(out, make())
	}
	return out
}

func (d dice) hostGlob() string {
	return d.of("a.example.com", "B.Example.com", "*.example.com", "*.b.example.com", "*example.com", "?.example.com", "a.*", "*", "*.com", "a*.com", "x.b.example.com", "example.com")
}

func (d dice) host() string {
	return d.of("a.example.com", "b.example.com", "B.EXAMPLE.COM", "x.b.example.com", "example.com", "xexample.com", "other.org", "a.b.com", "a.example.com:8080", "b.com")
}

func (d dice) pathGlob() string {
	return d.of("/", "/*", "/a", "/a*", "/a/*", "/A/*", "/?", "/*.png", "/a/?/c", "*b", "/a.c", "/a/b/c")
}

func (d dice) path() string {
	return d.of("/", "/a", "/A/x", "/a/b", "/a/b/c", "/x.png", "/a/x.png", "/b", "/abc", "/a.c", "/axc")
}

func (d dice) match() proxyconf.Match {
	switch d.IntN(10) {
	case 0, 1, 2:
		if d.IntN(6) == 0 {
			return proxyconf.Match{Of: "host", Regexes: []string{d.of(`^(a|b)\.example`, `com$`, `x`)}}
		}
		return proxyconf.Match{Of: "host", Globs: d.some(3, d.hostGlob)}
	case 3, 4, 5:
		if d.IntN(6) == 0 {
			return proxyconf.Match{Of: "path", Regexes: []string{d.of(`^/a/[a-z]$`, `b`, `\.png$`)}}
		}
		return proxyconf.Match{Of: "path", Globs: d.some(3, d.pathGlob)}
	case 6:
		return proxyconf.Match{Of: "method", Globs: d.some(2, func() string { return d.of("GET", "PUT", "get") })}
	case 7:
		return proxyconf.Match{Of: "header", Name: d.of("X-Kind", "x-other"), Globs: d.some(2, func() string { return d.of("beta", "BE*", "*ta", "*e*", "b?ta", "*") })}
	case 8:
		q := proxyconf.Match{Of: "query"}
		for range 1 + d.IntN(2) {
			q.Queries = append(q.Queries, [2]string{d.of("", "k", "K*", "?"), d.of("v", "V*", "*", "?", "")})
		}
		return q
	}
	return proxyconf.Match{Of: "source", Sources: []netip.Prefix{netip.MustParsePrefix(d.of("10.0.0.0/8", "192.0.2.0/24", "10.1.2.3/32"))}}
}

func (d dice) asking() asking {
	a := asking{method: d.of("GET", "GET", "PUT"), host: d.host(), path: d.path(), headers: map[string]string{}, source: netip.MustParseAddr(d.of("10.1.2.3", "10.9.9.9", "192.0.2.1", "198.51.100.1"))}
	if d.IntN(2) == 0 {
		a.query = d.of("k=v", "k=vx&x=y", "K=V", "x", "k", "a=b&k=", "z=v", "k=a=b", "y=1&kk=v")
	}
	if d.IntN(2) == 0 {
		a.headers[d.of("x-kind", "x-other")] = d.of("beta", "Beta", "bet", "delta", "zeta two")
	}
	return a
}

func (a asking) raw() string {
	target := a.path
	if a.query != "" {
		target += "?" + a.query
	}
	lines := []string{a.method + " " + target + " HTTP/1.1", "host: " + a.host, "connection: close", "content-length: 0"}
	for k, v := range a.headers {
		lines = append(lines, k+": "+v)
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// Envoy takes for each request the first rule that takes it, however routes are grouped.
func TestEnvoyTakesTheFirstRuleThatTakesARequest(t *testing.T) {
	const listeners, requests = 40, 60
	d := dice{rand.New(rand.NewPCG(1, 7))}
	part := proxyconf.Part{Name: "p"}
	for i := range listeners {
		h := plainHTTP()
		for j := range 1 + d.IntN(12) {
			r := proxyconf.Route{Name: strconv.Itoa(j), Fixed: &proxyconf.Fixed{Status: 200, Body: strconv.Itoa(j)}}
			for range d.IntN(4) {
				m := d.match()
				if m.Of == "path" && len(m.Regexes) > 0 && slices.ContainsFunc(r.Matches, func(o proxyconf.Match) bool { return o.Of == "path" }) {
					continue // that is refused
				}
				r.Matches = append(r.Matches, m)
			}
			h.Routes = append(h.Routes, r)
		}
		h.Routes = append(h.Routes, proxyconf.Route{Name: "last", Fixed: &proxyconf.Fixed{Status: 200, Body: "last"}})
		part.Listeners = append(part.Listeners, proxyconf.Listener{Name: strconv.Itoa(i), Port: uint16(1000 + i), HTTP: h})
	}
	all, err := Resources(part)
	if err != nil {
		t.Fatal(err)
	}
	dir := runs(t, all)
	for _, l := range part.Listeners {
		for range requests {
			a := d.asking()
			want := "none"
			for _, r := range l.HTTP.Routes {
				if a.slowly(r) {
					want = r.Name
					break
				}
			}
			if _, got := envoytest.Send(t, filepath.Join(dir, strconv.FormatUint(uint64(l.Port), 10)), a.source.String(), a.raw()); got != want { //nolint:bodyclose // it has been read
				t.Fatalf("listener %s takes rule %s, not %s, for %+v\n%+v", l.Name, got, want, a, l.HTTP.Routes)
			}
		}
	}
}
