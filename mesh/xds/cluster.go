package xds

import (
	"fmt"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	proxyprotocol "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/proxy_protocol/v3"
	raw "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/raw_buffer/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	upstream "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

const (
	// connectTimeout is that of one try: a client whose targets all are silent hears of it after AWS's ten seconds, and one of them costs less.
	connectTimeout = 10 * time.Second / (1 + tries)
	// upstreamIdle is how long a connection to a target is kept without a request. Many servers close theirs after five seconds: a request that meets the end of its connection is a 502.
	upstreamIdle = 4 * time.Second
	bufferLimit  = 64 << 10 // of a connection, each way: a slow client holds no more
	// bound is beyond what a part may ask for: parts are bounded by their connections, which are the listeners' to count.
	bound           = 1 << 20
	streamsAtOnce   = 128 // of a connection of HTTP/2, as AWS
	streamWindow    = 256 << 10
	sessionWindow   = 1 << 20
	protocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
)

// cluster is a target group as a part uses it. Its targets come by themselves; who of them is healthy, the relay says with them.
func cluster(p proxyconf.Part, c proxyconf.Cluster) (*clusterv3.Cluster, error) {
	extra := seam.Extra{
		Part: p.Name, Cluster: c.Name, Endpoints: c.Endpoints, Space: c.Space, Check: c.Check, Protocol: c.Protocol, End: c.CloseOnEnd, Fail: c.CloseOnFail,
		MinHealthy: c.MinHealthy, MinPercent: c.MinPercent,
	}
	about, err := extra.Metadata()
	if err != nil {
		return nil, err
	}
	out := &clusterv3.Cluster{
		Name:                          seam.Name(p.Name, c.Name),
		ClusterDiscoveryType:          &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig:              &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads(), ServiceName: seam.Name(p.Name, c.Endpoints)},
		ConnectTimeout:                span(connectTimeout),
		PerConnectionBufferLimitBytes: u32(bufferLimit),
		CircuitBreakers:               unbounded(),
		CommonLbConfig:                &clusterv3.Cluster_CommonLbConfig{HealthyPanicThreshold: &typev3.Percent{Value: 0}},
		IgnoreHealthOnHostRemoval:     true,
		Metadata:                      about,
	}
	if c.Space != "" {
		out.UpstreamBindConfig = &core.BindConfig{SourceAddress: socket(c.Space, "0.0.0.0", 0)}
	}
	balance(out, c)
	if err := speak(out, c); err != nil {
		return nil, err
	}
	return out, wrap(out, c)
}

func unbounded() *clusterv3.CircuitBreakers {
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		MaxConnections: u32(bound), MaxPendingRequests: u32(bound), MaxRequests: u32(bound), MaxRetries: u32(bound),
	}}}
}

// balance says who gets the next request.
func balance(out *clusterv3.Cluster, c proxyconf.Cluster) {
	var slow *clusterv3.Cluster_SlowStartConfig
	if c.SlowStart > 0 {
		slow = &clusterv3.Cluster_SlowStartConfig{SlowStartWindow: span(c.SlowStart)}
	}
	if c.StickySource { // the same target for an address as long as that is there
		out.LbPolicy = clusterv3.Cluster_MAGLEV
		return
	}
	if c.LeastRequests {
		out.LbPolicy = clusterv3.Cluster_LEAST_REQUEST
		out.LbConfig = &clusterv3.Cluster_LeastRequestLbConfig_{LeastRequestLbConfig: &clusterv3.Cluster_LeastRequestLbConfig{SlowStartConfig: slow}}
		return
	}
	out.LbPolicy = clusterv3.Cluster_ROUND_ROBIN
	if slow != nil {
		out.LbConfig = &clusterv3.Cluster_RoundRobinLbConfig_{RoundRobinLbConfig: &clusterv3.Cluster_RoundRobinLbConfig{SlowStartConfig: slow}}
	}
}

// speak says which protocol targets are spoken to in.
func speak(out *clusterv3.Cluster, c proxyconf.Cluster) error {
	var config upstream.HttpProtocolOptions_ExplicitHttpConfig
	switch c.Protocol {
	case "tcp":
		return nil
	case "http1":
		config.ProtocolConfig = &upstream.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{HttpProtocolOptions: &core.Http1ProtocolOptions{}}
	case "http2":
		config.ProtocolConfig = &upstream.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{Http2ProtocolOptions: http2()}
	default:
		return fmt.Errorf("protocol %q is none", c.Protocol)
	}
	options, err := packed(&upstream.HttpProtocolOptions{
		CommonHttpProtocolOptions: &core.HttpProtocolOptions{IdleTimeout: span(upstreamIdle)},
		UpstreamProtocolOptions:   &upstream.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: &config},
	})
	out.TypedExtensionProtocolOptions = map[string]*anypb.Any{protocolOptions: options}
	return err
}

func http2() *core.Http2ProtocolOptions {
	return &core.Http2ProtocolOptions{
		MaxConcurrentStreams: u32(streamsAtOnce), InitialStreamWindowSize: u32(streamWindow), InitialConnectionWindowSize: u32(sessionWindow),
	}
}

// wrap puts TLS and the PROXY protocol around connections to targets.
func wrap(out *clusterv3.Cluster, c proxyconf.Cluster) error {
	var p packer
	inner := &core.TransportSocket{Name: "envoy.transport_sockets.raw_buffer", ConfigType: typed(p.pack(&raw.RawBuffer{}))}
	if c.TLS {
		common := &tls.CommonTlsContext{TlsParams: &tls.TlsParameters{
			TlsMinimumProtocolVersion: tls.TlsParameters_TLSv1_0, TlsMaximumProtocolVersion: tls.TlsParameters_TLSv1_3,
		}}
		if c.Protocol == "http2" {
			common.AlpnProtocols = []string{"h2"}
		}
		inner = &core.TransportSocket{Name: "envoy.transport_sockets.tls", ConfigType: typed(p.pack(&tls.UpstreamTlsContext{CommonTlsContext: common}))}
		out.TransportSocket = inner
	}
	if c.ProxyV2 {
		out.TransportSocket = &core.TransportSocket{
			Name: "envoy.transport_sockets.upstream_proxy_protocol",
			ConfigType: typed(p.pack(&proxyprotocol.ProxyProtocolUpstreamTransport{
				Config: &core.ProxyProtocolConfig{Version: core.ProxyProtocolConfig_V2}, TransportSocket: inner,
			})),
		}
	}
	return p.err
}

func typed(a *anypb.Any) *core.TransportSocket_TypedConfig {
	return &core.TransportSocket_TypedConfig{TypedConfig: a}
}
