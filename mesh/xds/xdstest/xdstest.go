// Package xdstest runs Envoy on resources, for tests that hold what is said of requests to what Envoy does with them.
//
// Guarantees: sockets are files, so that no test needs a port or a namespace. A connection says by the PROXY protocol where it is from. Envoy ends with
// the test.
package xdstest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/mesh/xds/envoytest"
	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// message is one of Envoy's, as JSON.
type message = map[string]any

// Run has Envoy do what resources say, and answers the directory of its sockets: listeners' by their ports, targets' by t and theirs. The test
// serves targets. It is skipped where there is no Envoy.
func Run(t *testing.T, all []xds.Resource) string {
	t.Helper()
	envoytest.Program(t)
	dir, err := os.MkdirTemp("", "xds") // short: paths of sockets are
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config, sockets := still(t, all, dir)
	file := filepath.Join(dir, "envoy.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	envoytest.Start(t, sockets, "-c", file)
	return dir
}

// still is a configuration that asks nobody, and the sockets that it listens at.
func still(t *testing.T, all []xds.Resource, dir string) (config []byte, sockets []string) {
	t.Helper()
	byType := map[string][]message{}
	routes, hosts := map[string]message{}, map[string]message{}
	for _, r := range all {
		text, err := protojson.Marshal(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		switch byType[r.Type] = append(byType[r.Type], m); r.Type {
		case seam.TypeRoute:
			routes[r.Name] = m
		case seam.TypeEndpoint:
			hosts[r.Name] = m
		}
	}
	for _, l := range byType[seam.TypeListener] {
		at := filepath.Join(dir, fmt.Sprint(port(l["address"])))
		sockets = append(sockets, at)
		l["address"] = pipe(at)
		l["listenerFilters"] = []any{message{"name": "envoy.filters.listener.proxy_protocol",
			"typedConfig": message{"@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"}}}
		walk(l, func(m message) {
			if rds, ok := m["rds"].(message); ok {
				m["routeConfig"] = routes[rds["routeConfigName"].(string)]
				delete(m, "rds")
			}
		})
	}
	for _, c := range byType[seam.TypeCluster] {
		_, name, _ := seam.Cut(c["edsClusterConfig"].(message)["serviceName"].(string))
		load := message{"clusterName": c["name"], "endpoints": hosts[name]["endpoints"]}
		walk(load, func(m message) {
			if _, ok := m["socketAddress"]; ok {
				p := pipe(filepath.Join(dir, "t"+fmt.Sprint(port(m))))
				delete(m, "socketAddress")
				m["pipe"] = p["pipe"]
			}
		})
		delete(c, "edsClusterConfig")
		delete(c, "upstreamBindConfig")
		c["type"], c["loadAssignment"] = "STATIC", load
	}
	config, err := json.Marshal(message{"staticResources": message{"listeners": byType[seam.TypeListener], "clusters": byType[seam.TypeCluster]}})
	if err != nil {
		t.Fatal(err)
	}
	return config, sockets
}

func pipe(path string) message { return message{"pipe": message{"path": path}} }

func port(address any) any { return address.(message)["socketAddress"].(message)["portValue"] }

// walk calls fn for each message within v.
func walk(v any, fn func(message)) {
	switch v := v.(type) {
	case message:
		fn(v)
		for _, in := range v {
			walk(in, fn)
		}
	case []any:
		for _, in := range v {
			walk(in, fn)
		}
	}
}

// Target serves what is at a target's port: it answers every request with text.
func Target(t *testing.T, dir string, port uint16, text string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, fmt.Sprint("t", port)))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
}
