package relay

import (
	"context"
	"net/netip"
	"time"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/node/proxy/envoy"
	"github.com/berth-ecs/berth/node/proxy/probe"
)

const (
	drainEvery = 500 * time.Millisecond
	// idleLooks in a row without anything in flight are enough: one may come between a request's choice of a target and its beginning.
	idleLooks = 2
)

// drain watches targets that drain until nothing is in flight to them, and ends connections to those whose time is over.
func (r *Relay) drain(ctx context.Context) error {
	for pause(ctx, drainEvery) {
		r.endFlows()
		waiting := r.draining()
		if len(waiting) == 0 {
			continue
		}
		flights, err := r.c.Admin.Flights(ctx)
		if err != nil {
			continue // none runs: what it carried is over, and it says so itself when it is back
		}
		r.idleNow(waiting, flights, r.connections(waiting))
	}
	return nil
}

// draining are the targets that drain, and have not yet, with the cluster of each. Envoy knows that they do.
func (r *Relay) draining() map[probe.Key]read {
	r.mu.Lock()
	defer r.mu.Unlock()
	out, all := map[probe.Key]read{}, map[probe.Key]bool{}
	for _, c := range r.view.clusters {
		known := r.knows(c.item.eds)
		for a, draining := range hosts(r.view.sets[c.extra.Endpoints]) {
			if k := healthKey(c.extra, a); draining {
				all[k] = true
				if !r.drained[k] && known {
					out[k] = c
				}
			}
		}
	}
	for k := range r.drained {
		if !all[k] {
			delete(r.drained, k)
		}
	}
	for k := range r.idle {
		if _, ok := out[k]; !ok {
			delete(r.idle, k)
		}
	}
	return out
}

// connections are those of TCP to targets that drain, by the network they begin in, as the kernel counts them: Envoy does not count those of a cluster
// that was another one since. A network that cannot be asked is left out.
func (r *Relay) connections(waiting map[probe.Key]read) map[string]map[netip.AddrPort]int {
	out := map[string]map[netip.AddrPort]int{}
	for _, c := range waiting {
		if _, asked := out[c.extra.Space]; asked || c.extra.Protocol != tcp {
			continue
		}
		n, err := r.network(c.extra.Space).Count()
		if err != nil {
			r.c.Log.Debug("connections cannot be counted", "interface", c.extra.Space, "error", err)
			continue
		}
		out[c.extra.Space] = n
	}
	return out
}

func (r *Relay) idleNow(waiting map[probe.Key]read, flights []envoy.Flight, connections map[string]map[netip.AddrPort]int) {
	busy := map[probe.Key]bool{}
	for k, c := range waiting {
		for _, f := range flights {
			if f.Addr != k.Addr || f.Cluster != seam.Name(c.extra.Part, c.extra.Cluster) {
				continue
			}
			under := f.Requests
			if c.extra.Protocol == tcp {
				under = f.Connections
			}
			busy[k] = busy[k] || under > 0
		}
		busy[k] = busy[k] || c.extra.Protocol == tcp && connections[c.extra.Space][k.Addr] > 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range waiting {
		if r.idle[k]++; busy[k] {
			delete(r.idle, k)
		}
		if r.idle[k] >= idleLooks {
			r.drained[k] = true
			ring(r.news)
		}
	}
}
