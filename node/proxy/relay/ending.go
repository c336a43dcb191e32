package relay

import (
	"net/netip"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/node/network/sockets"
	"github.com/berth-ecs/berth/node/proxy/probe"
)

// ending are connections that are to end: those of a cluster to a target.
type ending struct {
	cluster string // in Envoy
	space   string
	addr    netip.AddrPort
	gone    bool // the target is none any more; else it became unhealthy
}

// looksAtEnd: a connection may come between the choice of a target and its end.
const looksAtEnd = 2

const tcp = "tcp"

// end notes the connections that end because targets went between two views.
func (r *Relay) end(before, now *view) {
	for name, was := range before.clusters {
		is, there := now.clusters[name]
		if !there || !is.extra.End || is.extra.Protocol != tcp || is.extra.Endpoints != was.extra.Endpoints {
			continue
		}
		set, old := now.sets[is.extra.Endpoints], before.sets[is.extra.Endpoints]
		if set == old {
			continue
		}
		left := hosts(set)
		for a := range hosts(old) {
			if _, stays := left[a]; !stays {
				r.ends[ending{name, is.extra.Space, a, true}] = looksAtEnd
			}
		}
	}
}

// fall notes the connections that end because targets became unhealthy since the last view.
func (r *Relay) fall() {
	for name, c := range r.view.clusters {
		for k := range r.fell {
			if c.extra.Fail && c.extra.Protocol == tcp && healthKey(c.extra, k.Addr) == k {
				r.ends[ending{name, c.extra.Space, k.Addr, false}] = 1
			}
		}
	}
	clear(r.fell)
}

// endings are those whose time is there: Envoy knows how the target is. What another cluster has there as well stays with that.
func (r *Relay) endings() (out []ending) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for e, looks := range r.ends {
		c, there := r.view.clusters[e.cluster]
		if !there {
			delete(r.ends, e)
			continue
		}
		if !r.knows(c.item.eds) {
			continue
		}
		if r.ends[e] = looks - 1; looks <= 1 {
			delete(r.ends, e)
		}
		if _, back := hosts(r.view.sets[c.extra.Endpoints])[e.addr]; (!e.gone || !back) && !r.shared(e) {
			out = append(out, e)
		}
	}
	return out
}

// knows: Envoy has acknowledged a set of endpoints as it is.
func (r *Relay) knows(eds string) bool {
	set := Key{seam.TypeEndpoint, eds}
	told, want := r.told[set], r.view.items[set]
	return told != nil && want != nil && told.version == want.version
}

// shared: another cluster sends to the same address from the same network, and has no reason to end its connections, which nobody can tell from these.
func (r *Relay) shared(e ending) bool {
	for name, c := range r.view.clusters {
		if name == e.cluster || c.extra.Space != e.space {
			continue
		}
		_, has := hosts(r.view.sets[c.extra.Endpoints])[e.addr]
		failed := c.extra.Fail && r.health[healthKey(c.extra, e.addr)].State == probe.Unhealthy
		if has && (e.gone || !failed) {
			return true
		}
	}
	return false
}

// endFlows ends what is to end. That an Envoy is not there any more, and its connections with it, is no failure.
func (r *Relay) endFlows() {
	for _, e := range r.endings() {
		n, err := r.network(e.space).End(e.addr)
		if err != nil {
			r.c.Log.Warn("connections to a target cannot be ended", "cluster", e.cluster, "target", e.addr, "error", err)
		} else if n > 0 {
			r.c.Log.Debug("connections to a target were ended", "cluster", e.cluster, "target", e.addr, "connections", n)
		}
	}
}

// network is where connections of a cluster begin. On the machine's own there are those of other processes.
func (r *Relay) network(space string) sockets.Place {
	if space == "" {
		return sockets.Place{Pid: r.c.Pid()}
	}
	return sockets.Place{Space: r.c.Spaces.Path(space)}
}
