// Package envoy runs an Envoy on what servers tell of parts, without a server and without a relay: its resources are files, which it follows.
package envoy

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/mesh/xds/envoytest"
	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// Program is the Envoy that tests and benchmarks run; "" when there is none.
func Program() string { return envoytest.Find() }

// Proxy is an Envoy that runs.
type Proxy struct {
	dir  string
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan error
}

// Start runs an Envoy in a directory of its own, with as many workers as are asked for.
func Start(ctx context.Context, dir string, workers int, all []xds.Resource) (*Proxy, error) {
	p := &Proxy{dir: dir, done: make(chan error, 1)}
	if err := p.Tell(all); err != nil {
		return nil, err
	}
	boot := fmt.Sprintf(`{"node":{"id":"n","cluster":"c"},"dynamic_resources":{"lds_config":%s,"cds_config":%s}}`, p.source(seam.TypeListener, ""), p.source(seam.TypeCluster, ""))
	if err := os.WriteFile(filepath.Join(dir, "boot.json"), []byte(boot), 0o600); err != nil {
		return nil, err
	}
	return p, p.run(ctx, Program(), "-c", filepath.Join(dir, "boot.json"), "--concurrency", strconv.Itoa(workers))
}

// StartOn runs an Envoy on a configuration of somebody's own, in YAML or JSON by the file's name.
func StartOn(ctx context.Context, file string, workers int) (*Proxy, error) {
	p := &Proxy{dir: filepath.Dir(file), done: make(chan error, 1)}
	return p, p.run(ctx, Program(), "-c", file, "--concurrency", strconv.Itoa(workers))
}

func (p *Proxy) run(ctx context.Context, program string, args ...string) error {
	p.cmd = exec.CommandContext(ctx, program, append(args, "--disable-hot-restart", "--log-level", "warning")...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() { p.done <- p.cmd.Wait() }()
	return nil
}

// PID is the process's.
func (p *Proxy) PID() int { return p.cmd.Process.Pid }

// Stop ends it and waits.
func (p *Proxy) Stop() error {
	_ = p.cmd.Process.Kill()
	<-p.done //nolint:errcheck // that it was killed
	return nil
}

// Said is what it wrote: read it once it has stopped.
func (p *Proxy) Said() string { return p.out.String() }

// Ready waits until somebody listens on a port of the loopback.
func (p *Proxy) Ready(ctx context.Context, port uint16) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on port %d", port)
		case err := <-p.done:
			p.done <- err
			return fmt.Errorf("the proxy has ended: %w\n%s", errors.Join(err), p.out.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (p *Proxy) path(kind, name string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	return filepath.Join(p.dir, hex.EncodeToString(sum[:8])+".json")
}

func (p *Proxy) source(kind, name string) string {
	return fmt.Sprintf(`{"resource_api_version":"V3","path_config_source":{"path":%q}}`, p.path(kind, name))
}

// Tell makes it follow other resources. One that is as it was is not told again.
func (p *Proxy) Tell(all []xds.Resource) error {
	k := kept{hosts: map[string]*endpoint.ClusterLoadAssignment{}, routes: map[string]*route.RouteConfiguration{}, filters: map[string]*anypb.Any{}}
	for _, r := range all {
		switch b := r.Body.(type) {
		case *endpoint.ClusterLoadAssignment:
			k.hosts[r.Name] = b
		case *route.RouteConfiguration:
			k.routes[r.Name] = b
		case *core.TypedExtensionConfig:
			k.filters[r.Name] = b.GetTypedConfig()
		}
	}
	files, err := p.files(all, k)
	for _, file := range slices.SortedFunc(maps.Keys(files), func(a, b string) int { return cmp.Compare(order(files[a]), order(files[b])) }) {
		err = errors.Join(err, move(file, files[file]))
	}
	return err
}

// kept are the resources that stand in others here: Envoy follows no more files than a machine lets it.
type kept struct {
	hosts   map[string]*endpoint.ClusterLoadAssignment
	routes  map[string]*route.RouteConfiguration
	filters map[string]*anypb.Any
}

// order is that in which files are written: what others name comes first.
func order(r *discovery.DiscoveryResponse) int { return slices.Index(seam.Types(), r.GetTypeUrl()) }

func (p *Proxy) files(all []xds.Resource, k kept) (map[string]*discovery.DiscoveryResponse, error) {
	files := map[string]*discovery.DiscoveryResponse{}
	var err error
	for _, r := range all {
		body, name := proto.Clone(r.Body), ""
		p.replace(body.ProtoReflect(), k)
		switch b := body.(type) {
		case *endpoint.ClusterLoadAssignment, *route.RouteConfiguration, *core.TypedExtensionConfig:
			continue
		case *clusterv3.Cluster:
			extra, eerr := seam.ExtraOf(b.GetMetadata())
			err = errors.Join(err, eerr)
			b.EdsClusterConfig, b.ClusterDiscoveryType = nil, &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
			b.LoadAssignment = &endpoint.ClusterLoadAssignment{ClusterName: b.GetName(), Endpoints: k.hosts[extra.Endpoints].GetEndpoints()}
		case *tls.Secret:
			name = r.Name
		}
		a, aerr := anypb.New(body)
		file := p.path(r.Type, name)
		if files[file] == nil {
			files[file] = &discovery.DiscoveryResponse{TypeUrl: r.Type, VersionInfo: "1"}
		}
		files[file].Resources, err = append(files[file].Resources, a), errors.Join(err, aerr)
	}
	return files, err
}

// move puts a file in its place at once, which is what Envoy looks for.
func move(file string, m proto.Message) error {
	text, err := protojson.Marshal(m)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(file + ".was"); err == nil && bytes.Equal(old, deterministic(m)) {
		return nil
	}
	if err := os.WriteFile(file+".was", deterministic(m), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func deterministic(m proto.Message) []byte {
	b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	return b
}

// replace puts files in the place of servers, the loopback in that of namespaces, and drops access logs' prefixes.
func (p *Proxy) replace(m protoreflect.Message, k kept) {
	if a, ok := m.Interface().(*anypb.Any); ok {
		if inner, err := a.UnmarshalNew(); err == nil {
			p.replace(inner.ProtoReflect(), k)
			a.Value = deterministic(inner)
		}
		return
	}
	from := func(kind, name string) *core.ConfigSource {
		return &core.ConfigSource{ResourceApiVersion: core.ApiVersion_V3, ConfigSourceSpecifier: &core.ConfigSource_PathConfigSource{
			PathConfigSource: &core.PathConfigSource{Path: p.path(kind, name)}}}
	}
	switch x := m.Interface().(type) {
	case *core.SocketAddress:
		x.NetworkNamespaceFilepath = ""
		if x.GetAddress() == "0.0.0.0" {
			x.Address = "127.0.0.1"
		}
	case *listenerv3.Filter:
		if x.GetConfigDiscovery() != nil {
			x.ConfigType = &listenerv3.Filter_TypedConfig{TypedConfig: proto.CloneOf(k.filters[x.GetName()])}
		}
	case *hcm.HttpConnectionManager:
		x.RouteSpecifier = &hcm.HttpConnectionManager_RouteConfig{RouteConfig: k.routes[x.GetRds().GetRouteConfigName()]}
	case *tls.SdsSecretConfig:
		x.SdsConfig = from(seam.TypeSecret, x.GetName())
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { p.replace(v.Message(), k); return true })
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				p.replace(v.List().Get(i).Message(), k)
			}
		case f.Message() != nil && !f.IsMap() && !f.IsList():
			p.replace(v.Message(), k)
		}
		return true
	})
}

// Free is a port of the loopback that nobody has at the moment.
func Free() (uint16, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return uint16(l.Addr().(*net.TCPAddr).Port), l.Close()
}
