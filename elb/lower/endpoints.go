package lower

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/proxyconf"
)

// Hosts are where a target is: an address; for an instance, its machine's; for a load balancer, those of its nodes.
func Hosts(g *elb.TargetGroup, t *elb.Target, w World) []proxyconf.Host {
	host := func(a netip.Addr, zone string) proxyconf.Host {
		return proxyconf.Host{Addr: netip.AddrPortFrom(a, uint16(t.Port)), Zone: zone, Draining: !t.DrainingSince.IsZero()}
	}
	var out []proxyconf.Host
	switch g.Type {
	case elb.TargetALB:
		for _, n := range w.Nodes(t.ID) {
			if n.Private.IsValid() {
				out = append(out, host(n.Private, n.Zone))
			}
		}
	case elb.TargetInstance:
		if a := w.Machine(t.Home, t.ID); a.IsValid() {
			out = append(out, host(a, t.Place))
		}
	default:
		if a, err := netip.ParseAddr(t.ID); err == nil {
			out = append(out, host(a, t.Place))
		}
	}
	return out
}

// Endpoints are the targets of a group in a pool. Where two targets are at one address, one that is not draining counts.
func Endpoints(p elb.Pool, g *elb.TargetGroup, targets []*elb.Target, w World) proxyconf.Endpoints {
	e := proxyconf.Endpoints{Name: p.String()}
	for _, t := range targets {
		for _, h := range Hosts(g, t, w) {
			if sees(p, g, t, h) {
				e.Hosts = append(e.Hosts, h)
			}
		}
	}
	slices.SortFunc(e.Hosts, func(x, y proxyconf.Host) int {
		return cmp.Or(x.Addr.Compare(y.Addr), order(x.Draining)-order(y.Draining), cmp.Compare(x.Zone, y.Zone))
	})
	e.Hosts = slices.CompactFunc(e.Hosts, func(x, y proxyconf.Host) bool { return x.Addr == y.Addr })
	return e
}

// sees says whether nodes of a pool send to a host of a target: a load balancer's are each in a zone of their own.
func sees(p elb.Pool, g *elb.TargetGroup, t *elb.Target, h proxyconf.Host) bool {
	if g.Type == elb.TargetALB {
		return slices.Contains(p.Zones, h.Zone)
	}
	return p.Has(t)
}

func order(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
