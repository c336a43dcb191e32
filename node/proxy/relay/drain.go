package relay

import (
	"context"
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

// drain watches targets that drain until nothing is in flight to them.
func (r *Relay) drain(ctx context.Context) error {
	for pause(ctx, drainEvery) {
		waiting := r.draining()
		if len(waiting) == 0 {
			continue
		}
		flights, err := r.c.Admin.Flights(ctx)
		if err != nil {
			continue // none runs: what it carried is over, and it says so itself when it is back
		}
		r.idleNow(waiting, flights)
	}
	return nil
}

// draining are the targets that drain, and have not yet, with the cluster of each. Envoy knows that they do.
func (r *Relay) draining() map[probe.Key]read {
	r.mu.Lock()
	defer r.mu.Unlock()
	out, all := map[probe.Key]read{}, map[probe.Key]bool{}
	for _, c := range r.view.clusters {
		set := Key{seam.TypeEndpoint, c.item.eds}
		told, want := r.told[set], r.view.items[set]
		for a, draining := range hosts(r.view.sets[c.extra.Endpoints]) {
			if k := healthKey(c.extra, a); draining {
				all[k] = true
				if !r.drained[k] && told != nil && want != nil && told.version == want.version {
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

func (r *Relay) idleNow(waiting map[probe.Key]read, flights []envoy.Flight) {
	busy := map[probe.Key]bool{}
	for k, c := range waiting {
		for _, f := range flights {
			if f.Addr != k.Addr || f.Cluster != seam.Name(c.extra.Part, c.extra.Cluster) {
				continue
			}
			under := f.Requests
			if c.extra.Protocol == "tcp" {
				under = f.Connections
			}
			busy[k] = busy[k] || under > 0
		}
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
