package control

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/cloudmap"
)

// Over real sockets: what answers 2xx and 3xx is healthy, by whatever certificate; what answers otherwise, or not in TLS, is not.
func TestProbesOfRealServers(t *testing.T) {
	seen := make(chan string, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Host + r.URL.RequestURI()
		if strings.HasPrefix(r.URL.Path, "/moved") {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		} else if r.URL.Path != "/ok" {
			http.NotFound(w, r)
		}
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	for _, c := range []struct {
		kind, path string
		server     *httptest.Server
		asked      string
		healthy    bool
	}{
		{"HTTP", "/ok", plain, "web.example.com/ok", true},
		{"HTTP", "/moved?now=1", plain, "web.example.com/moved?now=1", true},
		{"HTTP", "/missing", plain, "web.example.com/missing", false},
		{"HTTPS", "/ok", secure, "web.example.com/ok", true},
		{"HTTPS", "/ok", plain, "", false},
		{"TCP", "", plain, "", true},
	} {
		l := &checks{Loops: &Loops{Config: Config{Reaches: func(string) bool { return true }, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, c.server.Listener.Addr().String())
		}}}}
		err := l.probe(t.Context(), &subject{
			namespace: &cloudmap.Namespace{Name: "example.com"}, service: &cloudmap.Service{Name: "web", Check: &cloudmap.Check{Type: c.kind, Path: c.path}},
			instance: &cloudmap.Instance{Attributes: map[string]string{cloudmap.AttrIPv4: "198.51.100.1", cloudmap.AttrPort: "80"}},
		})
		asked := ""
		select {
		case asked = <-seen:
		default:
		}
		if (err == nil) != c.healthy || asked != c.asked {
			t.Errorf("%s %s: %v, asked for %q", c.kind, c.path, err, asked)
		}
	}
}
