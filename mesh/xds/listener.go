package xds

import (
	"errors"
	"fmt"
	"slices"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	limit "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/connection_limit/v3"
	tcpproxy "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

// scope is a listener of a part.
type scope struct {
	part     proxyconf.Part
	clusters map[string]proxyconf.Cluster
	listener proxyconf.Listener
}

// name is the listener's in Envoy, and its routes'.
func (s scope) name() string { return seam.Name(s.part.Name, s.listener.Name) }

const (
	// connections are the most that a listener takes: a part cannot take the machine's files from the others.
	connections = 16384
	backlog     = 4096
	// handshake is how long TLS may take to begin.
	handshake       = 15 * time.Second
	connectAttempts = 3
)

var (
	errNeither = errors.New("it is neither of requests nor of connections")
	errPort    = errors.New("it has no port")
)

// listener is a listener with its routes, or with what it does with connections.
func listener(s scope) ([]Resource, error) {
	l := s.listener
	if l.Port == 0 {
		return nil, errPort
	}
	var filters []*listenerv3.Filter
	var more []Resource
	var err error
	switch {
	case l.HTTP != nil && l.TCP == nil:
		filters, more, err = s.http()
	case l.TCP != nil && l.HTTP == nil:
		filters, more, err = s.tcp()
	default:
		err = errNeither
	}
	if err != nil {
		return nil, err
	}
	out, err := s.open(filters)
	if err != nil {
		return nil, err
	}
	return append(more, Resource{seam.TypeListener, out.GetName(), out}), nil
}

// open is the listener around its filters.
func (s scope) open(filters []*listenerv3.Filter) (*listenerv3.Listener, error) {
	var p packer
	bounded := &listenerv3.Filter{Name: "envoy.filters.network.connection_limit", ConfigType: filter(p.pack(&limit.ConnectionLimit{
		StatPrefix: "connections", MaxConnections: wrap64(connections),
	}))}
	chain := &listenerv3.FilterChain{Name: "all", Filters: slices.Concat([]*listenerv3.Filter{bounded}, filters)}
	if s.listener.TLS != nil {
		t, err := downstream(*s.listener.TLS, s.listener.HTTP != nil && s.listener.HTTP.HTTP2)
		if err != nil {
			return nil, err
		}
		chain.TransportSocket = t
		chain.TransportSocketConnectTimeout = span(handshake)
	}
	out := &listenerv3.Listener{
		Name:                          s.name(),
		StatPrefix:                    s.name(),
		Address:                       &core.Address{Address: &core.Address_SocketAddress{SocketAddress: socket(s.part.Space, "0.0.0.0", s.listener.Port)}},
		FilterChains:                  []*listenerv3.FilterChain{chain},
		PerConnectionBufferLimitBytes: u32(bufferLimit),
		TcpBacklogSize:                u32(backlog),
		TrafficDirection:              core.TrafficDirection_INBOUND,
	}
	return out, p.err
}

// tcp is a listener of connections. What it does with one is a resource by itself: a listener whose filters change ends the connections that it has
// when it has drained for its time, and a filter that is another one from now on leaves them alone.
func (s scope) tcp() ([]*listenerv3.Filter, []Resource, error) {
	does, err := s.forwards()
	if err != nil {
		return nil, nil, err
	}
	var p packer
	body := p.pack(does)
	named := &listenerv3.Filter{Name: s.name(), ConfigType: &listenerv3.Filter_ConfigDiscovery{ConfigDiscovery: &core.ExtensionConfigSource{
		ConfigSource: ads(), TypeUrls: []string{body.GetTypeUrl()},
	}}}
	return []*listenerv3.Filter{named}, []Resource{{seam.TypeFilter, s.name(), &core.TypedExtensionConfig{Name: s.name(), TypedConfig: body}}}, p.err
}

// forwards leads each connection to one of the clusters.
func (s scope) forwards() (*tcpproxy.TcpProxy, error) {
	t := s.listener.TCP
	out := &tcpproxy.TcpProxy{StatPrefix: s.name(), MaxConnectAttempts: u32(connectAttempts)}
	if t.IdleTimeout > 0 {
		out.IdleTimeout = span(t.IdleTimeout)
	}
	alive, err := s.weighed(t.Forward)
	switch {
	case err != nil:
		return nil, err
	case len(alive) == 0:
		return nil, errors.New("it forwards to nobody")
	case len(alive) == 1:
		out.ClusterSpecifier = &tcpproxy.TcpProxy_Cluster{Cluster: s.cluster(alive[0])}
	default:
		all := &tcpproxy.TcpProxy_WeightedCluster{}
		for _, w := range alive {
			all.Clusters = append(all.Clusters, &tcpproxy.TcpProxy_WeightedCluster_ClusterWeight{Name: s.cluster(w), Weight: w.Weight})
		}
		out.ClusterSpecifier = &tcpproxy.TcpProxy_WeightedClusters{WeightedClusters: all}
	}
	if slices.ContainsFunc(alive, func(w proxyconf.Weighted) bool { return s.clusters[w.Cluster].StickySource }) {
		out.HashPolicy = []*typev3.HashPolicy{{PolicySpecifier: &typev3.HashPolicy_SourceIp_{SourceIp: &typev3.HashPolicy_SourceIp{}}}}
	}
	return out, nil
}

func (s scope) cluster(w proxyconf.Weighted) string { return seam.Name(s.part.Name, w.Cluster) }

// weighed are those that have a weight: all of one that is alone, whatever its weight.
func (s scope) weighed(all []proxyconf.Weighted) ([]proxyconf.Weighted, error) {
	var out []proxyconf.Weighted
	for _, w := range all {
		if _, ok := s.clusters[w.Cluster]; !ok {
			return nil, fmt.Errorf("cluster %s is not the part's", w.Cluster)
		}
		if w.Weight > 0 {
			out = append(out, w)
		}
	}
	return out, nil
}
