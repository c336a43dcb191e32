package relay

import (
	"net/netip"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/proto"

	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// addrOf is where a target is.
func addrOf(e *endpoint.LbEndpoint) (netip.AddrPort, bool) {
	s := e.GetEndpoint().GetAddress().GetSocketAddress()
	a, err := netip.ParseAddr(s.GetAddress())
	return netip.AddrPortFrom(a, uint16(s.GetPortValue())), err == nil && s.GetPortValue() < 1<<16
}

// hosts are the targets of a set: whether each drains.
func hosts(all *endpoint.ClusterLoadAssignment) map[netip.AddrPort]bool {
	out := map[netip.AddrPort]bool{}
	for _, l := range all.GetEndpoints() {
		for _, e := range l.GetLbEndpoints() {
			if a, ok := addrOf(e); ok {
				out[a] = e.GetHealthStatus() == core.HealthStatus_DRAINING
			}
		}
	}
	return out
}

// overlay is a part's copy of a set of targets, under its own name: those that are healthy get requests, all when too few are.
func overlay(all *endpoint.ClusterLoadAssignment, name string, least seam.Extra, healthy func(netip.AddrPort) bool) *endpoint.ClusterLoadAssignment {
	out := proto.Clone(all).(*endpoint.ClusterLoadAssignment)
	out.ClusterName = name
	good, of := 0, 0
	each := func(f func(e *endpoint.LbEndpoint, a netip.AddrPort)) {
		for _, l := range out.GetEndpoints() {
			for _, e := range l.GetLbEndpoints() {
				if a, ok := addrOf(e); ok && e.GetHealthStatus() != core.HealthStatus_DRAINING {
					f(e, a)
				}
			}
		}
	}
	each(func(_ *endpoint.LbEndpoint, a netip.AddrPort) {
		of++
		if healthy(a) {
			good++
		}
	})
	enough := good >= max(least.MinHealthy, 1) && good*100 >= least.MinPercent*of
	each(func(e *endpoint.LbEndpoint, a netip.AddrPort) {
		e.HealthStatus = core.HealthStatus_HEALTHY
		if enough && !healthy(a) {
			e.HealthStatus = core.HealthStatus_UNHEALTHY
		}
	})
	return out
}
