// Package envoy runs an Envoy on what servers tell of parts, without a server and without a relay: its resources are files, which it follows.
package envoy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// Program is the Envoy that tests and benchmarks run; "" when there is none.
func Program() string {
	for _, p := range []string{os.Getenv("BERTH_ENVOY"), "/opt/berth/bin/envoy"} {
		if _, err := os.Stat(p); p != "" && err == nil {
			return p
		}
	}
	p, _ := exec.LookPath("envoy")
	return p
}

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
	return p, p.run(ctx, Program(), "-c", filepath.Join(dir, "boot.json"), "--concurrency", fmt.Sprint(workers))
}

// StartOn runs an Envoy on a configuration of somebody's own, in YAML or JSON by the file's name.
func StartOn(ctx context.Context, file string, workers int) (*Proxy, error) {
	p := &Proxy{dir: filepath.Dir(file), done: make(chan error, 1)}
	return p, p.run(ctx, Program(), "-c", file, "--concurrency", fmt.Sprint(workers))
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
	<-p.done
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
			return fmt.Errorf("Envoy has ended: %w\n%s", errors.Join(err), p.out.String())
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
	files := map[string]*discovery.DiscoveryResponse{}
	put := func(kind, file string, m proto.Message) error {
		a, err := anypb.New(m)
		if files[file] == nil {
			files[file] = &discovery.DiscoveryResponse{TypeUrl: kind, VersionInfo: "1"}
		}
		files[file].Resources = append(files[file].Resources, a)
		return err
	}
	hosts := map[string]*endpoint.ClusterLoadAssignment{}
	for _, r := range all {
		if cla, ok := r.Body.(*endpoint.ClusterLoadAssignment); ok {
			hosts[r.Name] = cla
		}
	}
	var err error
	for _, r := range all {
		body := proto.Clone(r.Body)
		p.replace(body.ProtoReflect())
		switch b := body.(type) {
		case *endpoint.ClusterLoadAssignment:
			continue
		case *clusterv3.Cluster:
			extra, eerr := seam.ExtraOf(b.GetMetadata())
			its := &endpoint.ClusterLoadAssignment{ClusterName: b.GetEdsClusterConfig().GetServiceName(), Endpoints: hosts[extra.Endpoints].GetEndpoints()}
			err = errors.Join(err, eerr, put(seam.TypeEndpoint, p.path(seam.TypeEndpoint, its.GetClusterName()), its), put(r.Type, p.path(r.Type, ""), b))
		default:
			name := r.Name
			if r.Type == seam.TypeListener {
				name = ""
			}
			err = errors.Join(err, put(r.Type, p.path(r.Type, name), body))
		}
	}
	for file, response := range files {
		err = errors.Join(err, move(file, response))
	}
	return err
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
func (p *Proxy) replace(m protoreflect.Message) {
	if a, ok := m.Interface().(*anypb.Any); ok {
		if inner, err := a.UnmarshalNew(); err == nil {
			p.replace(inner.ProtoReflect())
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
	case *hcm.Rds:
		x.ConfigSource = from(seam.TypeRoute, x.GetRouteConfigName())
	case *clusterv3.Cluster_EdsClusterConfig:
		x.EdsConfig = from(seam.TypeEndpoint, x.GetServiceName())
	case *tls.SdsSecretConfig:
		x.SdsConfig = from(seam.TypeSecret, x.GetName())
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { p.replace(v.Message()); return true })
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				p.replace(v.List().Get(i).Message())
			}
		case f.Message() != nil && !f.IsMap() && !f.IsList():
			p.replace(v.Message())
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
