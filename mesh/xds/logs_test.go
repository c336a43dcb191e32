package xds

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/proxyconf"
)

// athena is the expression by which AWS's documentation reads these logs.
var athena = regexp.MustCompile(`^([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*) (|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) "([^ ]*) (.*) (- |[^ ]*)" "([^"]*)" ([A-Z0-9-_]+) ([A-Za-z0-9.-]*) ([^ ]*) "([^"]*)" "([^"]*)" "([^"]*)" ([-.0-9]*) ([^ ]*) "([^"]*)" "([^"]*)" "([^ ]*)" "([^\s]+?)" "([^\s]+)" "([^ ]*)" "([^ ]*)" ?([^ ]*)?$`)

func TestTheAccessLogIsReadAsAWSs(t *testing.T) {
	c := webCluster()
	h := plainHTTP(
		proxyconf.Route{Name: "r", Priority: 7, Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/web"}}}, Forward: to(web)},
		proxyconf.Route{Name: "default", Redirect: &proxyconf.Redirect{Protocol: "HTTPS", Port: "443", Host: "#{host}", Path: "/#{path}", Query: "#{query}", Status: 301}},
	)
	all, err := Resources(proxyconf.Part{Name: "p", Clusters: []proxyconf.Cluster{c}, Listeners: []proxyconf.Listener{{Name: "80", Port: 80, HTTP: h, Logs: "web.log", Label: "app/web/1"}}})
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, Endpoints(proxyconf.Endpoints{Name: c.Endpoints, Hosts: []proxyconf.Host{{Addr: netip.MustParseAddrPort("10.0.0.1:81")}}}))
	w := town{t, runs(t, all)}
	target(t, w.dir, 81, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	w.get(80, "GET /web?k=v HTTP/1.1", "host: example.com", "user-agent: me") //nolint:bodyclose // it has been read
	w.get(80, "GET /else HTTP/1.1", "host: example.com", "user-agent: me")    //nolint:bodyclose // it has been read
	lines := linesOf(t, filepath.Join(w.dir, "web.log"), 2)
	for i, want := range []map[int]string{
		{1: "http", 3: "app/web/1", 11: "200", 12: "200", 15: "GET", 16: "http://example.com/web?k=v", 17: "HTTP/1.1", 18: "me", 19: "-", 20: "-", 21: web, 25: "7", 27: "forward", 28: "-", 31: "200"},
		{1: "http", 11: "301", 12: "-", 9: "-1", 10: "-1", 16: "http://example.com/else", 21: "-", 25: "0", 27: "redirect", 28: "https://example.com:443/else"},
	} {
		lines[i] = strings.ReplaceAll(lines[i], filepath.Join(w.dir, "t81"), "10.0.0.1:81") // targets are files here
		got := athena.FindStringSubmatch(lines[i])
		if got == nil {
			t.Fatalf("AWS's expression does not take %q", lines[i])
		}
		for f, v := range want {
			if got[f] != v {
				t.Errorf("field %d is %q, not %q, in %q", f, got[f], v, lines[i])
			}
		}
		for _, f := range []int{2, 26} {
			if _, err := time.Parse("2006-01-02T15:04:05.000000Z", got[f]); err != nil {
				t.Errorf("field %d: %v", f, err)
			}
		}
		if !strings.HasPrefix(got[22], "Root=1-") && i == 0 {
			t.Errorf("the trace id is %q", got[22])
		}
	}
}

// linesOf are the lines of a file once it has n.
func linesOf(t *testing.T, path string, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		b, _ := os.ReadFile(path)
		if lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"); len(b) > 0 && len(lines) >= n {
			return lines
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the log has not %d lines", n)
		}
	}
}
