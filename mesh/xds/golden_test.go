package xds

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"flag"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	partName = "elb/123456789012/us-east-1/app/web/0123456789abcdef/us-east-1a/eni-1"
	web      = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1111111111111111"
	api      = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/api/2222222222222222"
)

func webCluster() proxyconf.Cluster {
	return proxyconf.Cluster{Name: web, Endpoints: "elb/123456789012/us-east-1/web", Space: "eni-1", Protocol: "http1",
		Check: &proxyconf.Check{Protocol: "HTTP", Path: "/", Interval: 30 * time.Second, Timeout: 5 * time.Second, Healthy: 5, Unhealthy: 2, Codes: "200"}}
}

func plainHTTP(routes ...proxyconf.Route) *proxyconf.HTTP {
	return &proxyconf.HTTP{Routes: routes, IdleTimeout: time.Minute, KeepAlive: time.Hour, HTTP2: true, ForwardedFor: "append", Desync: "defensive", ServerHeader: true}
}

func to(cluster string) []proxyconf.Weighted {
	return []proxyconf.Weighted{{Cluster: cluster, Weight: 1}}
}

// samples are parts that between them say everything that can be said.
func samples() map[string]proxyconf.Part {
	base := func(l proxyconf.Listener, c ...proxyconf.Cluster) proxyconf.Part {
		l.Name, l.Label = "50dc6c495c0c9188", "app/web/0123456789abcdef"
		return proxyconf.Part{Name: partName, Space: "eni-1", Listeners: []proxyconf.Listener{l}, Clusters: c}
	}
	other := webCluster()
	other.Name, other.Endpoints, other.Protocol, other.TLS, other.LeastRequests, other.SlowStart = api, "elb/123456789012/us-east-1/api", "http2", true, true, 30*time.Second
	other.Cookie = &proxyconf.Cookie{Name: "AWSALBAPP-0", App: "sid", For: time.Hour}
	kept := webCluster()
	kept.Cookie, kept.SlowStart = &proxyconf.Cookie{Name: "AWSALB", For: 24 * time.Hour}, 30*time.Second
	every := plainHTTP(
		proxyconf.Route{Name: "rule/hosts", Matches: []proxyconf.Match{{Of: "host", Globs: []string{"WWW.example.com", "*.example.org", "a?.example.net"}}}, Forward: to(web)},
		proxyconf.Route{Name: "rule/paths", Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/api/*", "/api"}}}, Forward: to(api)},
		proxyconf.Route{Name: "rule/wild", Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/*/img/?.png"}}, {Of: "method", Globs: []string{"GET", "HEAD"}}}, Forward: to(web)},
		proxyconf.Route{Name: "rule/header", Matches: []proxyconf.Match{{Of: "header", Name: "X-Kind", Globs: []string{"*beta*"}}, {Of: "header", Name: "User-Agent", Globs: []string{"curl*", "*wget?"}}}, Forward: to(web)},
		proxyconf.Route{Name: "rule/query", Matches: []proxyconf.Match{{Of: "query", Queries: [][2]string{{"version", "v1"}, {"", "*example*"}}}}, Forward: to(web)},
		proxyconf.Route{Name: "rule/source", Matches: []proxyconf.Match{{Of: "source", Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")}}}, Forward: to(web)},
		proxyconf.Route{Name: "rule/regex", Matches: []proxyconf.Match{{Of: "path", Regexes: []string{`^/v[0-9]+/`}}, {Of: "host", Regexes: []string{`^(a|b)\.example\.com$`}}, {Of: "header", Name: "accept", Regexes: []string{"json"}}}, Forward: to(web)},
		proxyconf.Route{Name: "rule/weighted", Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/w"}}}, Forward: []proxyconf.Weighted{{Cluster: web, Weight: 80}, {Cluster: api, Weight: 20}}, Sticky: time.Hour},
		proxyconf.Route{Name: "rule/redirect", Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/old/*"}}}, Redirect: &proxyconf.Redirect{Protocol: "HTTPS", Host: "new.#{host}", Port: "443", Path: "/new/#{path}", Query: "#{query}&was=50%", Status: 301}},
		proxyconf.Route{Name: "rule/fixed", Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/fixed"}}}, Fixed: &proxyconf.Fixed{Status: 418, ContentType: "application/json", Body: `{"tea":"100%"}`}},
		proxyconf.Route{Name: "rule/none", Matches: []proxyconf.Match{{Of: "path", Globs: []string{"/none"}}}, Forward: []proxyconf.Weighted{{Cluster: web}}},
		proxyconf.Route{Name: "rule/default", Forward: to(web)},
	)
	odd := plainHTTP(proxyconf.Route{Name: "rule/default", Redirect: &proxyconf.Redirect{Protocol: "HTTPS", Port: "443", Host: "#{host}", Path: "/#{path}", Query: "#{query}", Status: 301}})
	odd.ForwardedFor, odd.DropInvalid, odd.ServerHeader, odd.TLSHeaders, odd.HTTP2 = "remove", true, false, true, false
	port := plainHTTP(proxyconf.Route{Name: "rule/default", Forward: to(web)})
	port.ClientPort, port.TLSHeaders = true, true
	stream := webCluster()
	stream.Protocol, stream.ProxyV2, stream.CloseOnEnd, stream.StickySource = "tcp", true, true, true
	second := webCluster()
	second.Name, second.Protocol, second.CloseOnFail, second.Space = api, "tcp", true, ""
	return map[string]proxyconf.Part{
		"least": base(proxyconf.Listener{Port: 80, HTTP: plainHTTP(proxyconf.Route{Name: "rule/default", Forward: to(web)})}, webCluster()),
		"every": base(proxyconf.Listener{Port: 8080, HTTP: every, Logs: "web.log"}, kept, other),
		"odd":   base(proxyconf.Listener{Port: 80, HTTP: odd}),
		"https": base(proxyconf.Listener{Port: 443, Logs: "https.log", TLS: &proxyconf.TLS{Certificates: []string{"arn:cert/1", "arn:cert/2"}, Min: "TLSv1.2", Max: "TLSv1.3", Ciphers: []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}}, HTTP: port}, webCluster()),
		"tcp":   base(proxyconf.Listener{Port: 5432, TCP: &proxyconf.TCP{Forward: to(web), IdleTimeout: 350 * time.Second}}, stream),
		"tcp2":  base(proxyconf.Listener{Port: 5432, TCP: &proxyconf.TCP{Forward: []proxyconf.Weighted{{Cluster: web, Weight: 1}, {Cluster: api, Weight: 3}}}}, stream, second),
	}
}

func TestGolden(t *testing.T) {
	for name, part := range samples() {
		t.Run(name, func(t *testing.T) {
			all, err := Resources(part)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, Endpoints(proxyconf.Endpoints{Name: "elb/123456789012/us-east-1/web", Hosts: []proxyconf.Host{
				{Addr: netip.MustParseAddrPort("10.0.0.4:8080")}, {Addr: netip.MustParseAddrPort("10.0.0.5:8080"), Draining: true}}}))
			same(t, name, all)
			if tls := part.Listeners[0].TLS; tls != nil {
				for i, c := range tls.Certificates {
					all = append(all, certificate(t, c, []string{"*.example.com", "example.org"}[i]))
				}
			}
			accepted(t, all)
		})
	}
}

// same compares all with what they were.
func same(t *testing.T, name string, all []Resource) {
	t.Helper()
	var b bytes.Buffer
	for _, r := range all {
		text, err := protojson.Marshal(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(r.Type + " " + r.Name + "\n")
		if err := json.Indent(&b, text, "", " "); err != nil { // protojson's own spaces are not the same twice
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	at := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(at, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s is not what it was (-update writes it anew):\n%s", at, d)
	}
}

func certificate(t *testing.T, arn, host string) Resource {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Secret(proxyconf.Secret{Name: arn,
		Chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})})
}

func TestTypesAreSeams(t *testing.T) {
	for name, part := range samples() {
		all, err := Resources(part)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, r := range append(all, Endpoints(proxyconf.Endpoints{}), Secret(proxyconf.Secret{})) {
			if a, err := Pack(r); err != nil || a.GetTypeUrl() != r.Type {
				t.Errorf("%s: a resource of %s is told as %s (%v)", name, a.GetTypeUrl(), r.Type, err)
			}
		}
	}
	_ = seam.Types
}
