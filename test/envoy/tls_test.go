package envoy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/acmtest"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/proxyconf"
)

const patience = time.Minute

// world is an Envoy with TLS listeners before a server that answers everything.
type world struct {
	*testing.T
	root    *acmtest.Authority
	part    proxyconf.Part
	secrets map[string]acm.Material
	backend netip.AddrPort
	proxy   *Proxy
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if Program() == "" {
		t.Skip("no Envoy on this machine: hack/install.sh test brings one")
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "from behind ", r.Host) }))
	t.Cleanup(s.Close)
	return &world{T: t, root: acmtest.New(t, acmtest.Of{}), secrets: map[string]acm.Material{}, backend: netip.MustParseAddrPort(s.Listener.Addr().String()),
		part: proxyconf.Part{Name: "part", Clusters: []proxyconf.Cluster{{Name: "web", Endpoints: "web", Protocol: "http1"}}}}
}

// listen adds a listener, and answers its port.
func (w *world) listen(conf proxyconf.TLS) uint16 {
	w.Helper()
	port, err := Free()
	if err != nil {
		w.Fatal(err)
	}
	w.part.Listeners = append(w.part.Listeners, proxyconf.Listener{Name: fmt.Sprint("l", port), Port: port, TLS: &conf,
		HTTP: &proxyconf.HTTP{HTTP2: true, ForwardedFor: "append", IdleTimeout: patience, Routes: []proxyconf.Route{{Name: "default", Forward: []proxyconf.Weighted{{Cluster: "web", Weight: 1}}}}}})
	return port
}

func (w *world) resources() []xds.Resource {
	w.Helper()
	all, err := xds.Resources(w.part)
	if err != nil {
		w.Fatal(err)
	}
	for name, m := range w.secrets {
		all = append(all, xds.Secret(proxyconf.Secret{Name: name, Chain: append([]byte(string(m.Body)), m.Chain...), Key: m.Key}))
	}
	return append(all, xds.Endpoints(proxyconf.Endpoints{Name: "web", Hosts: []proxyconf.Host{{Addr: w.backend}}}))
}

func (w *world) start() {
	w.Helper()
	p, err := Start(w.Context(), w.TempDir(), 1, w.resources())
	if err != nil {
		w.Fatal(err)
	}
	w.proxy = p
	w.Cleanup(func() {
		_ = p.Stop()
		if strings.Contains(p.Said(), "PRIVATE KEY") {
			w.Error("a key is in Envoy's log")
		}
		if w.Failed() {
			w.Log(p.Said())
		}
	})
	for _, l := range w.part.Listeners {
		if err := p.Ready(w.Context(), l.Port); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) dial(port uint16, conf *tls.Config) (*tls.Conn, error) {
	w.Helper()
	conf.RootCAs = w.root.Pool()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	c, err := (&tls.Dialer{Config: conf}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	w.Cleanup(func() { _ = c.Close() })
	return c.(*tls.Conn), nil
}

// shown is the certificate that a client of a server name gets.
func (w *world) shown(port uint16, name string) *x509.Certificate {
	w.Helper()
	c, err := w.dial(port, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err != nil {
		w.Fatalf("%s: %v", name, err)
	}
	return c.ConnectionState().PeerCertificates[0]
}

func (w *world) certificate(name string, names ...string) {
	w.secrets[name] = w.root.Issue(acmtest.Of{Names: names})
}

var twoToThree = proxyconf.TLS{Min: "TLSv1.2", Max: "TLSv1.3"}

// Certificates are chosen by the name that a client asks for; the first is for all others.
func TestCertificatesByName(t *testing.T) {
	w := newWorld(t)
	w.certificate("default", "default.example")
	w.certificate("two", "two.example", "also.example")
	w.certificate("wild", "*.wild.example")
	w.secrets["rsa"] = acmtest.SelfSigned(t, acmtest.Of{Names: []string{"rsa.example"}, Key: acmtest.NewRSA(t, 2048)})
	conf := twoToThree
	conf.Certificates = []string{"default", "two", "wild", "rsa"}
	port := w.listen(conf)
	w.start()
	for name, want := range map[string]string{
		"default.example": "default.example", "two.example": "two.example", "also.example": "two.example", "a.wild.example": "*.wild.example",
		"a.b.wild.example": "default.example", "unknown.example": "default.example", "": "default.example", "rsa.example": "rsa.example",
	} {
		if got := w.shown(port, name).Subject.CommonName; got != want {
			t.Errorf("for %q it shows %s, want %s", name, got, want)
		}
	}
	out, err := exec.CommandContext(t.Context(), "openssl", "s_client", "-connect", fmt.Sprint("127.0.0.1:", port), "-servername", "two.example", "-showcerts").Output()
	if err != nil || !strings.Contains(string(out), "CN = two.example") || strings.Count(string(out), "BEGIN CERTIFICATE") < 2 {
		t.Errorf("openssl sees %s %v: want the certificate and who signed it", out, err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, acmtest.PEM(w.root.Cert), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"--http1.1", "--http2"} {
		out, err := exec.CommandContext(t.Context(), "curl", "-sS", version, "--noproxy", "*", "--cacert", ca, "--connect-to", fmt.Sprintf("::127.0.0.1:%d", port), "https://a.wild.example/").CombinedOutput()
		if err != nil || string(out) != "from behind a.wild.example" {
			t.Errorf("curl %s: %s %v", version, out, err)
		}
	}
}

// Every policy takes the versions of TLS that it names and no other, with ciphers of its own.
func TestPolicies(t *testing.T) {
	w := newWorld(t)
	w.certificate("c", "a.example")
	w.secrets["rsa"] = acmtest.SelfSigned(t, acmtest.Of{Names: []string{"rsa.example"}, Key: acmtest.NewRSA(t, 2048)})
	ports := map[string]uint16{}
	for _, p := range elb.SSLPolicies() {
		conf := proxyconf.TLS{Certificates: []string{"c", "rsa"}}
		conf.Min, conf.Max, conf.Ciphers = p.Speaks()
		ports[p.Name] = w.listen(conf)
	}
	w.start()
	for _, p := range elb.SSLPolicies() {
		for name, version := range map[string]uint16{"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13} {
			want := false
			for _, have := range p.Protocols {
				want = want || have == name
			}
			_, err := w.dial(ports[p.Name], &tls.Config{ServerName: "a.example", MinVersion: version, MaxVersion: version})
			if (err == nil) != want {
				t.Errorf("%s with %s: %v, want %v", p.Name, name, err, want)
			}
		}
		w.suites(p, ports[p.Name])
	}
}

// suites are tried one by one with TLS 1.2: those that go are the policy's.
func (w *world) suites(p elb.SSLPolicy, port uint16) {
	w.Helper()
	for suite, name := range map[uint16]string{
		tls.TLS_RSA_WITH_AES_128_CBC_SHA: "AES128-SHA", tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
		tls.TLS_RSA_WITH_AES_256_GCM_SHA384: "AES256-GCM-SHA384", tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
	} {
		_, err := w.dial(port, &tls.Config{ServerName: "rsa.example", InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}})
		want := strings.Contains(" "+strings.Join(p.Ciphers, " ")+" ", " "+name+" ") && p.Protocols[len(p.Protocols)-1] != "TLSv1.3"
		if (err == nil) != want {
			w.Errorf("%s with %s: %v, want %v", p.Name, name, err, want)
		}
	}
}

// A certificate that is imported again is what new connections get; those that are open go on.
func TestACertificateIsReplacedUnderConnections(t *testing.T) {
	w := newWorld(t)
	w.certificate("c", "a.example")
	conf := twoToThree
	conf.Certificates = []string{"c"}
	port := w.listen(conf)
	w.start()
	old := w.shown(port, "a.example")
	held := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.root.Pool(), ServerName: "a.example"}, MaxConnsPerHost: 1}
	defer held.CloseIdleConnections()
	opened := 0
	held.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		opened++
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	ask := func() {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("https://127.0.0.1:%d/", port), nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := (&http.Client{Transport: held, Timeout: patience}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatal(res.Status)
		}
	}
	ask()
	w.certificate("c", "a.example")
	if err := w.proxy.Tell(w.resources()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); w.shown(port, "a.example").Equal(old); {
		ask()
		if time.Now().After(end) {
			t.Fatal("new connections get the old certificate")
		}
	}
	ask()
	if opened != 1 {
		t.Errorf("%d connections were needed", opened)
	}
}

// What is no TLS, or broken, is refused, and whoever speaks it goes on after that.
func TestMalformedTLSIsRefused(t *testing.T) {
	w := newWorld(t)
	w.certificate("c", "a.example")
	conf := twoToThree
	conf.Certificates = []string{"c"}
	port := w.listen(conf)
	w.start()
	hello := clientHello(t)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		b := []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if i > 0 {
			b = append([]byte(nil), hello...)
			for range 1 + r.IntN(8) {
				b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
			}
			if r.IntN(4) == 0 {
				b = b[:r.IntN(len(b))]
			}
		}
		if said := w.say(port, b); strings.Contains(said, "from behind") || strings.HasPrefix(said, "HTTP") {
			t.Fatalf("it answers %q to %x", said, b)
		}
	}
	w.shown(port, "a.example")
}

// clientHello is how a client begins.
func clientHello(t *testing.T) []byte {
	t.Helper()
	a, b := net.Pipe()
	go func() {
		_ = tls.Client(a, &tls.Config{ServerName: "a.example"}).HandshakeContext(t.Context())
		_ = a.Close()
	}()
	out := make([]byte, 4096)
	n, err := b.Read(out)
	_ = b.Close()
	if err != nil {
		t.Fatal(err)
	}
	return out[:n]
}

// say sends bytes, and no more, and answers what comes back.
func (w *world) say(port uint16, b []byte) string {
	w.Helper()
	c, err := (&net.Dialer{}).DialContext(w.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		w.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = c.Write(b)
	_ = c.(*net.TCPConn).CloseWrite()
	got, _ := io.ReadAll(c)
	return string(got)
}
