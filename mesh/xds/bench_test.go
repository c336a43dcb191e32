package xds

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

// target answers at a port of dir, as long as the test runs.
func target(t testing.TB, dir string, port int, h http.Handler) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(dir, "t"+strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
}

// spent is the processor time of a process.
func spent(t testing.TB, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+2:]))
	var ticks int
	for _, s := range f[11:13] { // user's and system's
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// byHand makes the listener's manager the smallest one for one route: the peer.
func byHand(t testing.TB) func(*bootstrap.Bootstrap) {
	return func(b *bootstrap.Bootstrap) {
		var p packer
		m := &hcm.HttpConnectionManager{StatPrefix: "h",
			RouteSpecifier: &hcm.HttpConnectionManager_RouteConfig{RouteConfig: &route.RouteConfiguration{VirtualHosts: []*route.VirtualHost{{Name: "v", Domains: []string{"*"},
				Routes: []*route.Route{{Match: &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}},
					Action: &route.Route_Route{Route: &route.RouteAction{ClusterSpecifier: &route.RouteAction_Cluster{Cluster: seam.Name("p", web)}}}}}}}}},
			HttpFilters: []*hcm.HttpFilter{{Name: "envoy.filters.http.router", ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: p.pack(&router.Router{})}}},
		}
		c := b.GetStaticResources().GetListeners()[0].GetFilterChains()[0]
		c.Filters = c.GetFilters()[len(c.GetFilters())-1:]
		c.Filters[0].ConfigType = filter(p.pack(m))
		if p.err != nil {
			t.Fatal(p.err)
		}
	}
}

func hundred(kind string) []proxyconf.Route {
	var all []proxyconf.Route
	for i := range 99 {
		r := proxyconf.Route{Name: strconv.Itoa(i), Forward: to(web)}
		switch kind {
		case "hosts":
			r.Matches = []proxyconf.Match{{Of: "host", Globs: []string{fmt.Sprintf("h%d.example.com", i)}}}
		case "paths":
			r.Matches = []proxyconf.Match{{Of: "path", Globs: []string{fmt.Sprintf("/service%d/*", i)}}}
		case "both":
			r.Matches = []proxyconf.Match{{Of: "host", Globs: []string{fmt.Sprintf("h%d.example.com", i%10)}}, {Of: "path", Globs: []string{fmt.Sprintf("/service%d/*", i)}}}
		case "headers":
			r.Matches = []proxyconf.Match{{Of: "header", Name: "x-kind", Globs: []string{fmt.Sprintf("*%d", i)}}}
		}
		all = append(all, r)
	}
	return append(all, proxyconf.Route{Name: "last", Forward: to(web)})
}

// BenchmarkProcessorOfARequest is what a request costs Envoy, by hand with one route and as a listener with a hundred rules. The request takes the last.
func BenchmarkProcessorOfARequest(b *testing.B) {
	for _, kind := range []string{"byhand", "one", "hosts", "paths", "both", "headers"} {
		b.Run(kind, func(b *testing.B) {
			h := plainHTTP(hundred(kind)...)
			if kind == "one" {
				h = plainHTTP(proxyconf.Route{Name: "last", Forward: to(web)})
			}
			edit := func(*bootstrap.Bootstrap) {}
			if kind == "byhand" {
				edit = byHand(b)
			}
			c := webCluster()
			all, err := Resources(proxyconf.Part{Name: "p", Clusters: []proxyconf.Cluster{c}, Listeners: []proxyconf.Listener{{Name: "80", Port: 80, HTTP: h}}})
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, Endpoints(proxyconf.Endpoints{Name: c.Endpoints, Hosts: []proxyconf.Host{{Addr: netip.MustParseAddrPort("10.0.0.1:81")}}}))
			dir, pid := started(b, all, edit)
			target(b, dir, 81, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
			load(b, filepath.Join(dir, "80"), pid)
		})
	}
}

func load(b *testing.B, socket string, pid int) {
	b.Helper()
	const clients = 8
	request := "GET /service98/x HTTP/1.1\r\nhost: h8.example.com\r\nuser-agent: bench\r\naccept: */*\r\n\r\n"
	var all [clients]*bufio.ReadWriter
	for i := range all {
		c, err := net.Dial("unix", socket)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		all[i] = bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
		_, _ = all[i].WriteString("PROXY TCP4 10.1.1.1 10.9.9.9 4444 80\r\n")
	}
	one := func(c *bufio.ReadWriter) {
		_, _ = c.WriteString(request)
		_ = c.Flush()
		r, err := http.ReadResponse(c.Reader, nil) //nolint:bodyclose // it is read by hand
		if err != nil || r.StatusCode != http.StatusOK {
			b.Error("no answer", err, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}
	for _, c := range all {
		one(c)
	}
	before := spent(b, pid)
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() {
			for range b.N/clients + min(1, i) {
				one(c)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64((spent(b, pid)-before).Microseconds())/float64(b.N), "proxy-us/request")
}
