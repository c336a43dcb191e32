package xds

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-ecs/berth/mesh/xds/envoytest"
	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// still is a configuration of the same resources that asks nobody: routes, endpoints and certificates in place, namespaces and paths of logs replaced as the relay does.
func still(t testing.TB, all []Resource, dir string) *bootstrap.Bootstrap {
	t.Helper()
	out := &bootstrap.Bootstrap{StaticResources: &bootstrap.Bootstrap_StaticResources{}}
	routes, hosts := map[string]*route.RouteConfiguration{}, map[string]*endpoint.ClusterLoadAssignment{}
	filters := map[string]*anypb.Any{}
	for _, r := range all {
		switch body := proto.Clone(r.Body).(type) {
		case *route.RouteConfiguration:
			routes[r.Name] = body
		case *endpoint.ClusterLoadAssignment:
			hosts[r.Name] = body
		case *core.TypedExtensionConfig:
			filters[r.Name] = body.GetTypedConfig()
		case *tls.Secret:
			out.StaticResources.Secrets = append(out.StaticResources.Secrets, body)
		}
	}
	for _, r := range all {
		switch body := proto.Clone(r.Body).(type) {
		case *clusterv3.Cluster:
			extra, err := seam.ExtraOf(body.GetMetadata())
			if err != nil {
				t.Fatal(err)
			}
			body.EdsClusterConfig = nil
			body.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
			body.LoadAssignment = &endpoint.ClusterLoadAssignment{ClusterName: r.Name}
			if its := hosts[extra.Endpoints]; its != nil { // of which others may have copies
				body.LoadAssignment = proto.CloneOf(its)
				body.LoadAssignment.ClusterName = r.Name
			}
			out.StaticResources.Clusters = append(out.StaticResources.Clusters, body)
		case *listenerv3.Listener:
			for _, c := range body.GetFilterChains() {
				for _, f := range c.GetFilters() {
					if f.GetConfigDiscovery() != nil {
						f.ConfigType = filter(filters[f.GetName()])
					}
					inline(t, f, routes)
				}
			}
			out.StaticResources.Listeners = append(out.StaticResources.Listeners, body)
		}
	}
	replaced(out.ProtoReflect(), dir)
	return out
}

func inline(t testing.TB, f *listenerv3.Filter, routes map[string]*route.RouteConfiguration) {
	t.Helper()
	m := &hcm.HttpConnectionManager{}
	if f.GetTypedConfig().UnmarshalTo(m) != nil {
		return
	}
	m.RouteSpecifier = &hcm.HttpConnectionManager_RouteConfig{RouteConfig: routes[m.GetRds().GetRouteConfigName()]}
	a, err := packed(m)
	if err != nil {
		t.Fatal(err)
	}
	f.ConfigType = filter(a)
}

// replaced puts in what the relay knows, in all of m: there are no namespaces here.
func replaced(m protoreflect.Message, dir string) {
	if a, ok := m.Interface().(*anypb.Any); ok {
		if inner, err := a.UnmarshalNew(); err == nil {
			replaced(inner.ProtoReflect(), dir)
			if again, err := packed(inner); err == nil {
				a.Value = again.GetValue()
			}
		}
		return
	}
	switch x := m.Interface().(type) {
	case *core.SocketAddress:
		x.NetworkNamespaceFilepath = ""
	case *tls.SdsSecretConfig:
		x.SdsConfig = nil
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { replaced(v.Message(), dir); return true })
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				replaced(v.List().Get(i).Message(), dir)
			}
		case f.Message() != nil && !f.IsMap() && !f.IsList():
			replaced(v.Message(), dir)
		case f.Kind() == protoreflect.StringKind && !f.IsList() && strings.HasPrefix(v.String(), seam.LogPrefix):
			m.Set(f, protoreflect.ValueOfString(filepath.Join(dir, filepath.Base(strings.TrimPrefix(v.String(), seam.LogPrefix)))))
		}
		return true
	})
}

// written puts b where Envoy can read it.
func written(t testing.TB, b *bootstrap.Bootstrap, dir string) string {
	t.Helper()
	data, err := protojson.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "envoy.json")
	if err := os.WriteFile(at, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

// accepted fails the test when Envoy refuses all.
func accepted(t testing.TB, all []Resource) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(envoytest.Program(t), "--mode", "validate", "-c", written(t, still(t, all, dir), dir), "--log-level", "error")
	var out bytes.Buffer
	cmd.Stderr, cmd.Stdout = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("Envoy refuses it: %v\n%s", err, out.String())
	}
}
