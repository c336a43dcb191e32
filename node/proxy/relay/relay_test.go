package relay

import (
	"bytes"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	accesslog "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	file "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	"google.golang.org/protobuf/proto"

	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/node/proxy/probe"
	"github.com/berth-ecs/berth/proxyconf"
)

func resource(t *testing.T, r xds.Resource, version string) Resource {
	t.Helper()
	body, err := xds.Pack(r)
	if err != nil {
		t.Fatal(err)
	}
	return Resource{Key{r.Type, r.Name}, version, body}
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	at := func(n string) netip.AddrPort { return netip.MustParseAddrPort("10.0.0." + n + ":80") }
	set := xds.Endpoints(proxyconf.Endpoints{Name: "g", Hosts: []proxyconf.Host{{Addr: at("1")}, {Addr: at("2")}, {Addr: at("3"), Draining: true}, {Addr: at("4")}}})
	all, err := xds.Pack(set)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		least   seam.Extra
		healthy string // last digits
		want    string // H healthy, U unhealthy, D draining
	}{
		"all":                      {seam.Extra{}, "124", "HHDH"},
		"one":                      {seam.Extra{}, "2", "UHDU"},
		"none":                     {seam.Extra{}, "", "HHDH"},
		"only the draining one":    {seam.Extra{}, "3", "HHDH"},
		"two where two must be":    {seam.Extra{MinHealthy: 2}, "12", "HHDU"},
		"one where two must be":    {seam.Extra{MinHealthy: 2}, "1", "HHDH"},
		"a third where half must":  {seam.Extra{MinPercent: 50}, "1", "HHDH"},
		"two thirds where half do": {seam.Extra{MinPercent: 50}, "14", "HUDH"},
	} {
		r := read{}
		m, err := all.UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		r.hosts, _ = m.(*endpoint.ClusterLoadAssignment)
		out := overlay(r.hosts, "part|g", c.least, func(a netip.AddrPort) bool { return strings.Contains(c.healthy, a.Addr().String()[7:]) })
		var said strings.Builder
		for _, e := range out.GetEndpoints()[0].GetLbEndpoints() {
			said.WriteString(map[core.HealthStatus]string{core.HealthStatus_HEALTHY: "H", core.HealthStatus_UNHEALTHY: "U", core.HealthStatus_DRAINING: "D"}[e.GetHealthStatus()])
		}
		if got := said.String(); got != c.want || out.GetClusterName() != "part|g" {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if r.hosts.GetClusterName() != "g" {
			t.Error("what servers said was changed")
		}
	}
}

func example() proxyconf.Part {
	return proxyconf.Part{
		Name: "p", Space: "eni-1",
		Listeners: []proxyconf.Listener{{
			Name: "l", Port: 80, Label: "app/x/1",
			HTTP: &proxyconf.HTTP{ForwardedFor: "append", Desync: "defensive", Routes: []proxyconf.Route{{Forward: []proxyconf.Weighted{{Cluster: "c", Weight: 1}}}}},
		}},
		Clusters: []proxyconf.Cluster{{Name: "c", Endpoints: "g", Space: "eni-1", Protocol: "http1"}},
	}
}

type spaces struct{ up bool }

func (spaces) Path(id string) string { return "/run/vpc/" + id }

func (s spaces) Inode(string) uint64 {
	if s.up {
		return 1
	}
	return 0
}

func fileLog(t *testing.T, path string) *accesslog.AccessLog {
	t.Helper()
	a, err := packed(&file.FileAccessLog{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return &accesslog.AccessLog{Name: "file", ConfigType: &accesslog.AccessLog_TypedConfig{TypedConfig: a}}
}

// Names of interfaces and of logs are paths where Envoy is told of them, however deep they are.
func TestWhatOnlyANodeKnows(t *testing.T) {
	t.Parallel()
	resources, err := xds.Resources(example())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &Relay{c: Config{LogDir: dir, RunDir: dir, Spaces: spaces{up: true}, Log: slog.New(slog.DiscardHandler)}, read: map[Key]read{}, spaces: map[string]uint64{}, now: map[string]uint64{}}
	all := map[Key]Resource{}
	for _, one := range resources {
		if l, ok := one.Body.(*listenerv3.Listener); ok {
			l.AccessLog = []*accesslog.AccessLog{fileLog(t, seam.LogPrefix+"bucket/a.log")}
		}
		in := resource(t, one, "1")
		all[in.Key] = in
	}
	v := r.see(all)
	var text []byte
	for k, i := range v.items {
		if k.Type == seam.TypeListener || k.Type == seam.TypeCluster {
			text = append(text, i.body.GetValue()...)
		}
	}
	if bytes.Contains(text, []byte(seam.SpacePrefix+"eni")) || bytes.Contains(text, []byte(seam.LogPrefix+"bucket")) {
		t.Error("a name is left")
	}
	for _, want := range []string{filepath.Join(dir, "spaces", "eni-1.1"), filepath.Join(dir, "bucket/a.log")} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not said", want)
		}
	}
	if v.items[Key{seam.TypeEndpoint, "p|g"}] == nil {
		t.Error("the cluster has no targets, not even none")
	}
	r.c.Spaces, r.now = spaces{}, map[string]uint64{}
	v = r.see(all)
	for k := range v.items {
		if k.Type == seam.TypeListener || k.Type == seam.TypeCluster {
			t.Errorf("%s is told, and its network is not there", k.Name)
		}
	}
}

// A log is below the node's directory of them, or it is refused.
func TestLogPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := &Relay{c: Config{LogDir: dir}}
	for path, ok := range map[string]bool{"b/x.log": true, "": false, "../x": false, "/etc/x": false, "a/../../x": false} {
		to, err := r.logPath(path)
		if (err == nil) != ok || ok && !strings.HasPrefix(to, dir) {
			t.Errorf("%q: %q, %v", path, to, err)
		}
	}
}

// What was heard is there again, certificates where others are not.
func TestStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shelf{filepath.Join(dir, "data"), filepath.Join(dir, "run")}
	open := func() *store {
		st, err := openStore(s, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	st := open()
	set := resource(t, xds.Endpoints(proxyconf.Endpoints{Name: "g"}), "1")
	key := resource(t, xds.Secret(proxyconf.Secret{Name: "arn", Chain: []byte("chain"), Key: []byte("very secret")}), "7")
	if changed := st.apply([]Resource{set, key}, nil); len(changed) != 2 {
		t.Errorf("%v", changed)
	}
	if changed := st.apply([]Resource{set}, []Key{{seam.TypeListener, "none"}}); len(changed) != 0 {
		t.Errorf("nothing is different: %v", changed)
	}
	st.flush()
	again := open()
	if got := again.all[key.Key]; got.Version != "7" || !proto.Equal(got.Body, key.Body) {
		t.Error("the certificate is not there again")
	}
	if v := again.versions(seam.TypeEndpoint); len(v) != 1 || v["g"] != "1" {
		t.Errorf("%v", v)
	}
	files, err := os.ReadDir(s.dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	text, err := os.ReadFile(s.path(set.Key))
	if err != nil || strings.Contains(string(text), "secret") {
		t.Errorf("a key among the others: %v", err)
	}
	if info, err := os.Stat(s.path(key.Key)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	again.apply(nil, []Key{key.Key, set.Key})
	again.flush()
	if left := open(); len(left.all) != 0 {
		t.Errorf("%d are left", len(left.all))
	}
	// A file that is broken is as none.
	if err := os.WriteFile(s.path(set.Key), []byte("\xff\xff"), 0o600); err != nil {
		t.Fatal(err)
	}
	if left := open(); len(left.all) != 0 {
		t.Error("a broken file is something")
	}
}

func TestTurn(t *testing.T) {
	t.Parallel()
	f := filepath.Join(t.TempDir(), "a.log")
	if turn(map[string]bool{f: true}, 4) {
		t.Error("one that is not there")
	}
	for _, text := range []string{"long, the first", "long, the second"} {
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if !turn(map[string]bool{f: true}, 4) {
			t.Error("it stays")
		}
		if got, err := os.ReadFile(f + ".1"); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// A report of everything goes on in the next, and its end is known.
func TestSayAll(t *testing.T) {
	t.Parallel()
	var said []proxyconf.Report
	say := func(r proxyconf.Report) error { said = append(said, r); return nil }
	many := proxyconf.Report{Health: make([]proxyconf.Health, 2*atOnce+1), Parts: make([]proxyconf.PartState, 3)}
	if err := sayAll(say, many, true); err != nil {
		t.Fatal(err)
	}
	if len(said) != 3 || !said[0].Whole || !said[0].More || said[1].Whole || !said[1].More || said[2].More || len(said[0].Parts) != 3 || len(said[2].Health) != 1 {
		t.Errorf("%d reports", len(said))
	}
	said = nil
	if err := sayAll(say, proxyconf.Report{}, true); err != nil || len(said) != 1 || said[0].More {
		t.Errorf("%+v, %v: nothing at all is said, too", said, err)
	}
	said = nil
	if err := sayAll(say, proxyconf.Report{}, false); err != nil || len(said) != 0 {
		t.Errorf("%+v, %v", said, err)
	}
}

// What is known of a target changes what is told of its own set, and nothing else is made anew.
func TestAChangeCostsWhatItTouches(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := example()
	p.Clusters[0].Check = &proxyconf.Check{Protocol: "HTTP"}
	more := p.Clusters[0]
	more.Name, more.Endpoints = "d", "h"
	p.Clusters = append(p.Clusters, more)
	resources, err := xds.Resources(p)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort("10.0.0.1:80")
	for _, name := range []string{"g", "h"} {
		resources = append(resources, xds.Endpoints(proxyconf.Endpoints{Name: name, Hosts: []proxyconf.Host{{Addr: at}, {Addr: netip.MustParseAddrPort("10.0.0.2:80")}}}))
	}
	all := map[Key]Resource{}
	for _, one := range resources {
		in := resource(t, one, "1")
		all[in.Key] = in
	}
	r := &Relay{c: Config{LogDir: dir, RunDir: dir, Spaces: spaces{up: true}, Log: slog.New(slog.DiscardHandler)}, read: map[Key]read{}, spaces: map[string]uint64{}, now: map[string]uint64{},
		health: map[probe.Key]probe.Health{}}
	set := func(v *view, name string) *item { return v.items[Key{seam.TypeEndpoint, "p|" + name}] }
	first := r.see(all)
	r.health[probe.Key{Part: "p", Endpoints: "g", Addr: at}] = probe.Health{State: probe.Healthy}
	second := r.see(all)
	if set(second, "g").version == set(first, "g").version || set(second, "h") != set(first, "h") {
		t.Error("a target of one set became healthy")
	}
	if third := r.see(all); set(third, "g") != set(second, "g") || set(third, "h") != set(second, "h") {
		t.Error("nothing changed")
	}
	grown := resource(t, xds.Endpoints(proxyconf.Endpoints{Name: "h", Hosts: []proxyconf.Host{{Addr: at}}}), "2")
	all[grown.Key] = grown
	if last := r.see(all); set(last, "g") != set(second, "g") || set(last, "h").version == set(second, "h").version {
		t.Error("the other set changed")
	}
	delete(all, grown.Key)
	if last := r.see(all); set(last, "h") == nil || len(r.made) != 2 {
		t.Errorf("a set that is not known is none: %d", len(r.made))
	}
}
