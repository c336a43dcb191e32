package xds

import (
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/proxyconf"
)

// Endpoints is a group's targets under the group's own name, as servers tell them. The relay gives each part that uses them a copy, with what it
// knows of their health.
func Endpoints(e proxyconf.Endpoints) Resource {
	hosts := make([]*endpoint.LbEndpoint, 0, len(e.Hosts))
	for _, h := range e.Hosts {
		health := core.HealthStatus_UNKNOWN
		if h.Draining {
			health = core.HealthStatus_DRAINING
		}
		hosts = append(hosts, &endpoint.LbEndpoint{
			HealthStatus: health,
			HostIdentifier: &endpoint.LbEndpoint_Endpoint{Endpoint: &endpoint.Endpoint{Address: &core.Address{
				Address: &core.Address_SocketAddress{SocketAddress: socket("", h.Addr.Addr().String(), h.Addr.Port())},
			}}},
		})
	}
	out := &endpoint.ClusterLoadAssignment{ClusterName: e.Name}
	if len(hosts) > 0 {
		out.Endpoints = []*endpoint.LocalityLbEndpoints{{LbEndpoints: hosts}}
	}
	return Resource{seam.TypeEndpoint, e.Name, out}
}

// Secret is a certificate and its key.
func Secret(s proxyconf.Secret) Resource {
	inline := func(b []byte) *core.DataSource {
		return &core.DataSource{Specifier: &core.DataSource_InlineBytes{InlineBytes: b}}
	}
	return Resource{seam.TypeSecret, s.Name, &tls.Secret{Name: s.Name, Type: &tls.Secret_TlsCertificate{
		TlsCertificate: &tls.TlsCertificate{CertificateChain: inline(s.Chain), PrivateKey: inline(s.Key)},
	}}}
}
