package xds

import (
	"errors"
	"fmt"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/berth-ecs/berth/proxyconf"
)

func filter(a *anypb.Any) *listenerv3.Filter_TypedConfig {
	return &listenerv3.Filter_TypedConfig{TypedConfig: a}
}

func wrap64(n uint64) *wrapperspb.UInt64Value { return wrapperspb.UInt64(n) }

var versions = map[string]tls.TlsParameters_TlsProtocol{
	"TLSv1.0": tls.TlsParameters_TLSv1_0, "TLSv1.1": tls.TlsParameters_TLSv1_1, "TLSv1.2": tls.TlsParameters_TLSv1_2, "TLSv1.3": tls.TlsParameters_TLSv1_3,
}

var errNoCertificate = errors.New("TLS without a certificate")

// downstream is TLS towards clients. Envoy chooses among the certificates by the names in them, wildcards too, and takes the first for other names
// and for none.
func downstream(t proxyconf.TLS, h2 bool) (*core.TransportSocket, error) {
	if len(t.Certificates) == 0 {
		return nil, errNoCertificate
	}
	low, ok := versions[t.Min]
	high, known := versions[t.Max]
	if !ok || !known {
		return nil, fmt.Errorf("TLS from %q to %q: one of them is none", t.Min, t.Max)
	}
	common := &tls.CommonTlsContext{
		TlsParams:     &tls.TlsParameters{TlsMinimumProtocolVersion: low, TlsMaximumProtocolVersion: high, CipherSuites: t.Ciphers},
		AlpnProtocols: t.ALPN,
	}
	if len(t.ALPN) == 0 && h2 {
		common.AlpnProtocols = []string{"h2", "http/1.1"}
	}
	for _, name := range t.Certificates {
		common.TlsCertificateSdsSecretConfigs = append(common.TlsCertificateSdsSecretConfigs, &tls.SdsSecretConfig{Name: name, SdsConfig: ads()})
	}
	var p packer
	socket := &core.TransportSocket{Name: "envoy.transport_sockets.tls", ConfigType: typed(p.pack(&tls.DownstreamTlsContext{CommonTlsContext: common}))}
	return socket, p.err
}
