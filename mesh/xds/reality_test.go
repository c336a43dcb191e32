package xds

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/mesh/xds/envoytest"
	"github.com/berth-ecs/berth/proxyconf"
)

// town is an Envoy with one listener for each kind of behaviour, and targets: 81 says what it was sent, 82 is not there, 83 hangs up, 84 never answers.
type town struct {
	t   *testing.T
	dir string
}

func newTown(t *testing.T, listeners map[uint16]*proxyconf.HTTP) town {
	t.Helper()
	part := proxyconf.Part{Name: "p"}
	var all []Resource
	for port := range 5 {
		c := webCluster()
		c.Name, c.Endpoints = strconv.Itoa(80+port), fmt.Sprint("e", 80+port)
		e := proxyconf.Endpoints{Name: c.Endpoints}
		if port > 0 { // 80 has nobody
			e.Hosts = []proxyconf.Host{{Addr: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(80+port))}}
		}
		if port == 1 {
			kept := c
			kept.Name, kept.Cookie = "kept", &proxyconf.Cookie{Name: "AWSALB", For: time.Hour}
			part.Clusters = append(part.Clusters, kept)
		}
		part.Clusters = append(part.Clusters, c)
		all = append(all, Endpoints(e))
	}
	for port, h := range listeners {
		part.Listeners = append(part.Listeners, proxyconf.Listener{Name: strconv.FormatUint(uint64(port), 10), Port: port, HTTP: h})
	}
	made, err := Resources(part)
	if err != nil {
		t.Fatal(err)
	}
	w := town{t, runs(t, append(all, made...))}
	target(t, w.dir, 81, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Header["Host"] = []string{r.Host}
		w.Header().Set("X-Served", "yes")
		_ = json.NewEncoder(w).Encode(r.Header)
	}))
	target(t, w.dir, 83, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
	}))
	target(t, w.dir, 84, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	return w
}

func (w town) get(port int, lines ...string) (*http.Response, string) {
	w.t.Helper()
	return envoytest.Send(w.t, filepath.Join(w.dir, strconv.Itoa(port)), "10.1.2.3", strings.Join(append(lines, "connection: close"), "\r\n")+"\r\n\r\n")
}

// sent is what the target was sent.
func (w town) sent(port int, lines ...string) http.Header {
	w.t.Helper()
	r, body := w.get(port, lines...) //nolint:bodyclose // it has been read
	var h http.Header
	if err := json.Unmarshal([]byte(body), &h); err != nil || r.StatusCode != http.StatusOK {
		w.t.Fatalf("%d %s", r.StatusCode, body)
	}
	return h
}

func forwarding(cluster string, edit func(*proxyconf.HTTP)) *proxyconf.HTTP {
	h := plainHTTP(proxyconf.Route{Name: "r", Forward: to(cluster)})
	if edit != nil {
		edit(h)
	}
	return h
}

func TestTargetsAreSentWhatAWSSends(t *testing.T) {
	w := newTown(t, map[uint16]*proxyconf.HTTP{
		1: forwarding("81", nil),
		2: forwarding("81", func(h *proxyconf.HTTP) { h.ClientPort = true }),
		3: forwarding("81", func(h *proxyconf.HTTP) { h.ForwardedFor = "preserve" }),
		4: forwarding("81", func(h *proxyconf.HTTP) { h.ForwardedFor, h.DropInvalid = "remove", true }),
		5: forwarding("kept", nil),
	})
	request := []string{"GET /a%2Fb/../c?x=%20 HTTP/1.1", "host: Web.example.com:8080", "x-forwarded-for: 1.1.1.1", "x-forwarded-proto: https", "x-envoy-retry-on: 5xx", "x-request-id: mine", "bad_name: 1", "odd!name: 2", "user-agent: me"}
	for port, want := range map[int]string{1: "1.1.1.1,10.1.2.3", 2: "1.1.1.1,10.1.2.3:4444", 3: "1.1.1.1", 4: ""} {
		h := w.sent(port, request...)
		if got := h.Get("X-Forwarded-For"); got != want {
			t.Errorf("listener %d: X-Forwarded-For is %q, not %q", port, got, want)
		}
		for name, want := range map[string]string{"X-Forwarded-Proto": "http", "X-Forwarded-Port": strconv.Itoa(port), "Host": "Web.example.com:8080", "X-Request-Id": "mine", "User-Agent": "me"} {
			if h.Get(name) != want {
				t.Errorf("listener %d: %s is %q, not %q", port, name, h.Get(name), want)
			}
		}
		for name := range h {
			if strings.HasPrefix(name, "X-Envoy") {
				t.Errorf("listener %d: the target was sent %s", port, name)
			}
		}
		if _, bad := h["Bad_name"]; bad == (port == 4) {
			t.Errorf("listener %d: the header with an underscore is there: %v", port, bad)
		}
		if _, odd := h["Odd!name"]; odd == (port == 4) {
			t.Errorf("listener %d: the header with a mark is there: %v", port, odd)
		}
	}
	root := regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`)
	first, second := w.sent(1, request...).Get(traceHeader), w.sent(1, request...).Get(traceHeader)
	if !root.MatchString(first) || first == second {
		t.Errorf("the trace ids of two requests are %q and %q", first, second)
	}
	own := regexp.MustCompile(`^Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678;Sampled=1$`)
	if got := w.sent(1, append(request, "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678;Sampled=1")...).Get(traceHeader); !own.MatchString(got) {
		t.Errorf("a client's trace id becomes %q", got)
	}
	r, _ := w.get(5, request...) //nolint:bodyclose // it has been read
	cookies := map[string]*http.Cookie{}
	for _, c := range r.Cookies() {
		cookies[c.Name] = c
	}
	if cookies["AWSALB"] == nil || cookies["AWSALBCORS"] == nil || cookies["AWSALBCORS"].SameSite != http.SameSiteNoneMode || cookies["AWSALB"].MaxAge != 3600 {
		t.Errorf("the cookies are %v", r.Header["Set-Cookie"])
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Envoy") || name == "X-Request-Id" {
			t.Errorf("the client was sent %s", name)
		}
	}
	if r.Header.Get("Server") != serverName || r.Header.Get("X-Served") != "yes" {
		t.Errorf("the client was sent %v", r.Header)
	}
}

func TestAnswersOfTheProxysOwn(t *testing.T) {
	redirects := plainHTTP(
		proxyconf.Route{Name: "moved", Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/old/*"}}}, Redirect: &proxyconf.Redirect{Host: "new.#{host}", Path: "/new/#{path}", Query: "was=50%&#{query}", Status: 302}},
		proxyconf.Route{Name: "other", Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/other"}}}, Redirect: &proxyconf.Redirect{Host: "other.org", Path: "/a", Query: "b=c", Status: 301}},
		proxyconf.Route{Name: "fixed", Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/tea"}}}, Fixed: &proxyconf.Fixed{Status: 418, ContentType: "application/json", Body: `{"a":"100%"}`}},
		proxyconf.Route{Name: "rest", Redirect: &proxyconf.Redirect{Protocol: "HTTPS", Port: "443", Host: "#{host}", Path: "/#{path}", Query: "#{query}", Status: 301}},
	)
	quiet := forwarding("84", func(h *proxyconf.HTTP) { h.IdleTimeout = 300 * time.Millisecond })
	w := newTown(t, map[uint16]*proxyconf.HTTP{1: redirects, 2: forwarding("80", nil), 3: forwarding("82", nil), 4: forwarding("83", nil), 5: quiet, 6: forwarding("81", nil)})
	for _, c := range []struct {
		port     int
		line     string
		status   int
		location string
		kind     string
		body     string
	}{
		{1, "GET /old/x?k=v HTTP/1.1", 302, "http://new.example.com:8080/new/old/x?was=50%&k=v", "text/html", page(302)},
		{1, "GET /other?x HTTP/1.1", 301, "http://other.org:1/a?b=c", "", ""},
		{1, "GET /x/y?k=v&z HTTP/1.1", 301, "https://example.com:443/x/y?k=v&z", "", ""},
		{1, "GET /x/y HTTP/1.1", 301, "https://example.com:443/x/y", "", ""},
		{1, "GET /tea HTTP/1.1", 418, "", "application/json", `{"a":"100%"}`},
		{2, "GET / HTTP/1.1", 503, "", "text/html", page(503)},
		{3, "GET / HTTP/1.1", 502, "", "text/html", page(502)},
		{4, "GET / HTTP/1.1", 502, "", "text/html", page(502)},
		{5, "GET / HTTP/1.1", 504, "", "text/html", page(504)},
		{6, "GET / HTTP/1.1\r\nx: " + strings.Repeat("a", 70<<10), 400, "", "text/html", page(400)},
		{6, "GET / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked", 400, "", "", ""},
		{6, "GET / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4", 400, "", "", ""},
		{6, "GET / HTTP/1.1\r\ncontent-length: +3", 400, "", "", ""},
		{6, "GET / HTTP/1.1\r\ntransfer-encoding: xchunked", 501, "", "", ""},
		{6, "GET / HTTP/1.1\r\ntransfer-encoding : chunked", 400, "", "", ""},
		{6, "GET / HTTP/1.1\r\nx: a\x00b", 400, "", "", ""},
		{6, "GET / HTTP/1.1\r\nx: a\rb: c", 200, "", "", ""}, // made harmless: the target is sent x: ab: c
		{6, "GET  / HTTP/1.1", 200, "", "", ""},              // and one space
	} {
		r, body := w.get(c.port, c.line, "host: example.com:8080") //nolint:bodyclose // it has been read
		if r.StatusCode != c.status || r.Header.Get("Location") != c.location || (c.kind != "" && r.Header.Get("Content-Type") != c.kind) || (c.body != "" && body != c.body) {
			t.Errorf("%d %.60q: %d %q %q %q", c.port, c.line, r.StatusCode, r.Header.Get("Location"), r.Header.Get("Content-Type"), body)
		}
		if r.Header.Get("Server") != serverName {
			t.Errorf("%d %.60q: the server is %q", c.port, c.line, r.Header.Get("Server"))
		}
	}
}
