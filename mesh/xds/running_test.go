package xds

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	proxyproto "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"

	"github.com/berth-ecs/berth/mesh/xds/envoytest"
)

// piped makes sockets of files the addresses of all listeners and targets, so that no test needs a port. A connection says by the PROXY protocol where it is from.
func piped(t testing.TB, b *bootstrap.Bootstrap, dir string) {
	t.Helper()
	pipe := func(name string) *core.Address {
		return &core.Address{Address: &core.Address_Pipe{Pipe: &core.Pipe{Path: filepath.Join(dir, name)}}}
	}
	said, err := packed(&proxyproto.ProxyProtocol{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range b.GetStaticResources().GetListeners() {
		l.Address = pipe(strconv.FormatUint(uint64(l.GetAddress().GetSocketAddress().GetPortValue()), 10))
		l.ListenerFilters = append([]*listenerv3.ListenerFilter{{
			Name: "envoy.filters.listener.proxy_protocol", ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: said},
		}}, l.GetListenerFilters()...)
	}
	for _, c := range b.GetStaticResources().GetClusters() {
		c.UpstreamBindConfig = nil
		for _, e := range c.GetLoadAssignment().GetEndpoints() {
			for _, h := range e.GetLbEndpoints() {
				a := h.GetEndpoint().GetAddress().GetSocketAddress()
				h.GetEndpoint().Address = pipe("t" + strconv.FormatUint(uint64(a.GetPortValue()), 10))
			}
		}
	}
}

// runs starts Envoy with all and answers the directory of its sockets: listeners by their ports, targets by t and theirs.
func runs(t testing.TB, all []Resource) string {
	t.Helper()
	dir, _ := started(t, all, func(*bootstrap.Bootstrap) {})
	return dir
}

// started is runs with a last word about the configuration, and the process.
func started(t testing.TB, all []Resource, edit func(*bootstrap.Bootstrap)) (string, int) {
	t.Helper()
	envoytest.Program(t)
	dir, err := os.MkdirTemp("", "xds") // short: paths of sockets are
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	b := still(t, all, dir)
	piped(t, b, dir)
	edit(b)
	var sockets []string
	for _, l := range b.GetStaticResources().GetListeners() {
		sockets = append(sockets, l.GetAddress().GetPipe().GetPath())
	}
	return dir, envoytest.Start(t, sockets, "-c", written(t, b, dir), "--file-flush-interval-msec", "20")
}
