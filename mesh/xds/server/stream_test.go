package server

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tcpproxy "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

var here = Node{"123456789012", "us-east-1", "one"}

// relay is a node's end of a stream: what it was told.
type relay struct {
	has   map[Key]*discovery.Resource
	bytes int
	said  int
	check func(*relay)
}

func (r *relay) hear(m *discovery.DeltaDiscoveryResponse) error {
	r.said++
	for _, x := range m.GetResources() {
		r.has[Key{m.GetTypeUrl(), x.GetName()}] = x
		r.bytes += len(x.GetResource().GetValue())
	}
	for _, n := range m.GetRemovedResources() {
		delete(r.has, Key{m.GetTypeUrl(), n})
	}
	if r.check != nil {
		r.check(r)
	}
	return nil
}

// versions are what the relay would come back with.
func (r *relay) versions(kind string) map[string]string {
	out := map[string]string{}
	for k, x := range r.has {
		if k.Type == kind {
			out[k.Name] = x.GetVersion()
		}
	}
	return out
}

// open begins a stream for a relay that has what it has.
func open(t interface{ Fatal(...any) }, b *Book, r *relay) (*stream, Following) {
	f := b.Follow(here)
	s := newStream(r.hear, newMetrics(nil))
	if err := s.take(f.Take()); err != nil {
		t.Fatal(err)
	}
	for _, kind := range seam.Types() {
		if _, err := s.hear(&discovery.DeltaDiscoveryRequest{TypeUrl: kind, ResourceNamesSubscribe: []string{"*"}, InitialResourceVersions: r.versions(kind)}); err != nil {
			t.Fatal(err)
		}
	}
	return s, f
}

// missing is a name that something the relay has names, and that it does not have; "" for none.
func (r *relay) missing() string {
	for k, x := range r.has {
		m, err := x.GetResource().UnmarshalNew()
		if err != nil {
			return err.Error()
		}
		var needs []Key
		switch m := m.(type) {
		case *clusterv3.Cluster:
			e, err := seam.ExtraOf(m.GetMetadata())
			if err != nil {
				return err.Error()
			}
			needs = append(needs, Key{seam.TypeEndpoint, e.Endpoints})
		case *route.RouteConfiguration:
			for _, v := range m.GetVirtualHosts() {
				for _, way := range v.GetRoutes() {
					needs = append(needs, Key{seam.TypeCluster, way.GetRoute().GetCluster()})
				}
			}
		case *core.TypedExtensionConfig:
			var to tcpproxy.TcpProxy
			if err := m.GetTypedConfig().UnmarshalTo(&to); err != nil {
				return err.Error()
			}
			for _, w := range to.GetWeightedClusters().GetClusters() {
				needs = append(needs, Key{seam.TypeCluster, w.GetName()})
			}
			if to.GetCluster() != "" {
				needs = append(needs, Key{seam.TypeCluster, to.GetCluster()})
			}
		case *listenerv3.Listener:
			needs = append(needs, named(m)...)
		}
		for _, n := range needs {
			if r.has[n] == nil {
				return fmt.Sprintf("%s names %s, which is not there", k.Name, n.Name)
			}
		}
	}
	return ""
}

func named(l *listenerv3.Listener) (out []Key) {
	for _, c := range l.GetFilterChains() {
		var d tls.DownstreamTlsContext
		if c.GetTransportSocket().GetTypedConfig().UnmarshalTo(&d) == nil {
			for _, s := range d.GetCommonTlsContext().GetTlsCertificateSdsSecretConfigs() {
				out = append(out, Key{seam.TypeSecret, s.GetName()})
			}
		}
		for _, f := range c.GetFilters() {
			if f.GetConfigDiscovery() != nil {
				out = append(out, Key{seam.TypeFilter, f.GetName()})
			}
			var m hcm.HttpConnectionManager
			if f.GetTypedConfig().UnmarshalTo(&m) == nil {
				out = append(out, Key{seam.TypeRoute, m.GetRds().GetRouteConfigName()})
			}
		}
	}
	return out
}

func anyPart(t *rapid.T, name string) proxyconf.Part {
	p := proxyconf.Part{Name: name, Space: "eni-1"}
	var rules []proxyconf.Route
	for _, g := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3, rapid.ID[string]).Draw(t, "groups") {
		p.Clusters = append(p.Clusters, proxyconf.Cluster{Name: g, Endpoints: "e/" + g, Space: "eni-1", Protocol: "http1"})
		rules = append(rules, proxyconf.Route{Name: g, Forward: []proxyconf.Weighted{{Cluster: g, Weight: 1}}})
	}
	for port := range rapid.IntRange(0, 2).Draw(t, "listeners") {
		l := proxyconf.Listener{Name: strconv.Itoa(port), Port: uint16(80 + port), HTTP: &proxyconf.HTTP{Routes: rules, ForwardedFor: "append"}}
		if rapid.Bool().Draw(t, "tls") {
			l.TLS = &proxyconf.TLS{Certificates: []string{rapid.SampledFrom([]string{"s1", "s2"}).Draw(t, "certificate")}, Min: "TLSv1.2", Max: "TLSv1.3"}
		}
		p.Listeners = append(p.Listeners, l)
	}
	return p
}

func anyNews(t *rapid.T) News {
	var n News
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"p1", "p2"}), 0, 2, rapid.ID[string]).Draw(t, "parts") {
		if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
			n.PartsGone = append(n.PartsGone, PartKey{here, name})
			continue
		}
		n.Parts = append(n.Parts, NodePart{here, anyPart(t, name)})
	}
	for _, g := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID[string]).Draw(t, "endpoints") {
		host := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(1, 3).Draw(t, "host"))}), 80)
		n.Endpoints = append(n.Endpoints, proxyconf.Endpoints{Name: "e/" + g, Hosts: []proxyconf.Host{{Addr: host}}})
	}
	return n
}

// At every message all names lead somewhere, and in the end the relay has exactly what a new one is told.
func TestEveryMessageIsConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBook()
		secrets := []proxyconf.Secret{{Name: "s1", Chain: []byte("c"), Key: []byte("k")}, {Name: "s2", Chain: []byte("c"), Key: []byte("k")}}
		if err := b.Tell(News{Secrets: secrets}); err != nil {
			t.Fatal(err)
		}
		r := &relay{has: map[Key]*discovery.Resource{}, check: func(r *relay) {
			if m := r.missing(); m != "" {
				t.Fatal(m)
			}
		}}
		s, f := open(t, b, r)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			n := anyNews(t)
			if n.Whole = rapid.IntRange(0, 5).Draw(t, "whole") == 0; n.Whole {
				n.Secrets = secrets
			}
			if err := b.Tell(n); err != nil {
				t.Fatal(err)
			}
			switch rapid.IntRange(0, 4).Draw(t, "then") {
			case 0: // it is slow: changes come together
			case 1: // it comes back with what it has
				f.Close()
				s, f = open(t, b, r)
			default:
				if err := s.take(f.Take()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.take(f.Take()); err != nil {
			t.Fatal(err)
		}
		fresh := &relay{has: map[Key]*discovery.Resource{}}
		_, other := open(t, b, fresh)
		other.Close()
		for _, kind := range seam.Types() {
			if got, want := r.versions(kind), fresh.versions(kind); !maps.Equal(got, want) {
				t.Fatalf("%s: has %v, and a new one is told %v", kind, got, want)
			}
		}
		f.Close()
		if err := b.Tell(News{Whole: true}); err != nil {
			t.Fatal(err)
		}
		if len(b.nodes)+len(b.users)+len(b.shared) != 0 {
			t.Fatalf("an empty book keeps %d nodes, %d users, %d shared", len(b.nodes), len(b.users), len(b.shared))
		}
	})
}

func onePart() proxyconf.Part {
	return proxyconf.Part{Name: "p", Space: "eni-1",
		Clusters:  []proxyconf.Cluster{{Name: "a", Endpoints: "e/a", Space: "eni-1", Protocol: "http1"}},
		Listeners: []proxyconf.Listener{{Name: "80", Port: 80, HTTP: &proxyconf.HTTP{Routes: []proxyconf.Route{{Name: "r", Forward: []proxyconf.Weighted{{Cluster: "a", Weight: 1}}}}}}},
	}
}

func hosts(n byte) proxyconf.Endpoints {
	return proxyconf.Endpoints{Name: "e/a", Hosts: []proxyconf.Host{{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 80)}}}
}

func TestOnlyWhatChangedIsTold(t *testing.T) {
	b := NewBook()
	if err := b.Tell(News{Parts: []NodePart{{here, onePart()}}, Endpoints: []proxyconf.Endpoints{hosts(1)}}); err != nil {
		t.Fatal(err)
	}
	r := &relay{has: map[Key]*discovery.Resource{}}
	s, f := open(t, b, r)
	if len(r.has) != 4 {
		t.Fatalf("a relay with nothing is told %d resources, not 4", len(r.has))
	}
	step := func(n News, messages, atMost int) {
		t.Helper()
		r.bytes, r.said = 0, 0
		if err := b.Tell(n); err != nil {
			t.Fatal(err)
		}
		if err := s.take(f.Take()); err != nil {
			t.Fatal(err)
		}
		if r.said != messages || r.bytes > atMost {
			t.Errorf("%d messages and %d bytes, not %d and at most %d", r.said, r.bytes, messages, atMost)
		}
	}
	step(News{Endpoints: []proxyconf.Endpoints{hosts(2)}}, 1, 100)
	step(News{Endpoints: []proxyconf.Endpoints{hosts(2)}, Parts: []NodePart{{here, onePart()}}}, 0, 0)
	step(News{Parts: []NodePart{{Node{"1", "us-east-1", "one"}, onePart()}}}, 0, 0) // of another account's node of that name
	f.Close()
	r.bytes, r.said = 0, 0
	if err := b.Tell(News{Endpoints: []proxyconf.Endpoints{hosts(3)}}); err != nil {
		t.Fatal(err)
	}
	_, f = open(t, b, r)
	defer f.Close()
	if r.bytes > 100 {
		t.Errorf("a relay that comes back is told %d bytes", r.bytes)
	}
}

func TestWhatWasRefusedIsNotRepeated(t *testing.T) {
	b := NewBook()
	if err := b.Tell(News{Parts: []NodePart{{here, onePart()}}}); err != nil {
		t.Fatal(err)
	}
	r := &relay{has: map[Key]*discovery.Resource{}}
	s, f := open(t, b, r)
	defer f.Close()
	r.said = 0
	why, err := s.hear(&discovery.DeltaDiscoveryRequest{TypeUrl: seam.TypeListener, ResponseNonce: "5", ErrorDetail: &rpcstatus.Status{Message: "no such port"}})
	if err != nil || why != "no such port" || r.said != 0 {
		t.Errorf("a refusal is %q (%v) and %d messages", why, err, r.said)
	}
	if _, err := s.hear(&discovery.DeltaDiscoveryRequest{TypeUrl: "type.googleapis.com/what"}); err == nil {
		t.Error("a type that is none is taken")
	}
}

func TestAPartThatCannotBeToldStaysAsItWas(t *testing.T) {
	b := NewBook()
	bad := onePart()
	bad.Listeners = slices.Clone(bad.Listeners)
	bad.Listeners[0].Port = 0
	if err := b.Tell(News{Parts: []NodePart{{here, onePart()}}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Tell(News{Whole: true, Parts: []NodePart{{here, bad}}}); err == nil {
		t.Error("a listener without a port is none, and nobody says so")
	}
	r := &relay{has: map[Key]*discovery.Resource{}}
	_, f := open(t, b, r)
	defer f.Close()
	if len(r.has) != 4 {
		t.Errorf("of a part that was good there are %d resources, not 4", len(r.has))
	}
}

// A certificate that a server cannot say stays what it was: in its book, when everything is told anew, and on a node that another server told.
func TestACertificateThatCannotBeSaidStays(t *testing.T) {
	secure := onePart()
	secure.Listeners = slices.Clone(secure.Listeners)
	secure.Listeners[0].TLS = &proxyconf.TLS{Certificates: []string{"arn"}, Min: "TLSv1.2", Max: "TLSv1.3"}
	parts := []NodePart{{here, secure}}
	b, key := NewBook(), Key{seam.TypeSecret, "arn"}
	if err := b.Tell(News{Whole: true, Parts: parts, Secrets: []proxyconf.Secret{{Name: "arn", Chain: []byte("c"), Key: []byte("k")}}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Tell(News{Whole: true, Parts: parts, SecretsKept: []string{"arn"}}); err != nil {
		t.Fatal(err)
	}
	r := &relay{has: map[Key]*discovery.Resource{}}
	_, f := open(t, b, r)
	f.Close()
	if r.has[key] == nil {
		t.Fatal("the book forgot it")
	}
	other := NewBook()
	if err := other.Tell(News{Whole: true, Parts: parts, SecretsKept: []string{"arn"}}); err != nil {
		t.Fatal(err)
	}
	s, f := open(t, other, r)
	defer f.Close()
	if r.has[key] == nil {
		t.Error("a server that cannot open it takes it away")
	}
	if err := other.Tell(News{PartsGone: []PartKey{{here, secure.Name}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.take(f.Take()); err != nil {
		t.Fatal(err)
	}
	if len(r.has) != 0 {
		t.Errorf("%d resources of a part that is gone", len(r.has))
	}
}
