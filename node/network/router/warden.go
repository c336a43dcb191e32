package router

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/node/network/router/flows"
	"github.com/berth-ecs/berth/node/network/router/rules"
	"github.com/berth-ecs/berth/node/network/router/ruleset"
)

// The kernel tracks the flows of a VPC's interfaces in one table. One interface could fill it, and nobody else's connections would begin any
// more; the kernel's own count by interface walks a list of them for a new flow, which costs a busy task a processor. So flows are counted
// from here, and only where there are many: who has more than its part begins none until it has fewer again. Those it has go on.

const (
	wardenPause = time.Second
	wardenShare = 10 // looking takes at most one of so many parts of the time
)

// warden looks after the flows until ctx ends.
func (r *Routers) warden(ctx context.Context) {
	for pause := wardenPause; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		began := time.Now()
		if err := r.ration(); err != nil {
			r.cfg.Log.Warn("flows of interfaces are not limited", "error", err)
		}
		r.narrow()
		pause = max(wardenPause, wardenShare*time.Since(began))
	}
}

// narrow follows the ways between machines: what does not fit is said to tasks from then on.
func (r *Routers) narrow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.vpcs {
		less, err := v.way.Narrow()
		if less && err == nil {
			r.cfg.Log.Warn("the way to another machine takes less than this machine's link; node-mtu says so", "vpc", v.id, "fits", v.way.Link().Attrs().MTU)
			err = v.short.Turn()
		}
		if err != nil {
			r.cfg.Log.Warn("packets between machines are too large", "vpc", v.id, "error", err)
		}
	}
}

// crowd is a router with more flows than one interface may have, or with one that was stopped.
type crowd struct {
	v  *vpc
	ns netns.NsHandle // of its own: the router may go while its flows are read
}

// ration holds every interface to its part.
func (r *Routers) ration() error {
	limit, err := flows.Limit(r.cfg.Flows)
	if err != nil {
		return err
	}
	all, err := r.crowded(limit)
	for _, c := range all {
		by, e := flows.BySource(c.ns)
		_ = c.ns.Close()
		if e == nil {
			e = r.stopSpent(c.v, by, limit)
		}
		if e != nil {
			err = e
		}
	}
	return err
}

func (r *Routers) crowded(limit int) (out []crowd, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.vpcs {
		n, e := flows.Count(v.ns)
		if e == nil && n <= limit && len(v.spent) == 0 {
			continue
		}
		c := crowd{v: v}
		if e == nil {
			c.ns, e = netns.GetFromPath(r.cfg.vpcMount(v.id))
		}
		if e != nil {
			err = fmt.Errorf("router: flows of VPC %s: %w", v.id, e)
			continue
		}
		out = append(out, c)
	}
	return out, err
}

// stopSpent stops interfaces that have more than limit, and lets go on those that have a tenth less.
func (r *Routers) stopSpent(v *vpc, by map[netip.Addr]int, limit int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.vpcs[v.id] != v || !v.whole {
		return nil // the next look is soon
	}
	set, gone, now := map[string]ruleset.Fragment{}, []string(nil), map[string]bool{}
	for id, p := range v.ports {
		n := 0
		for _, a := range p.conf.Addresses {
			n += by[a]
		}
		if !flows.Spent(n, limit, v.spent[id]) {
			continue
		}
		if now[id] = true; !v.spent[id] {
			set[rules.SpentKey(id)] = rules.Spent(id)
			r.cfg.Log.Warn("an interface begins no connections: it has as many as one may have", "interface", id, "vpc", v.id, "flows", n, "limit", limit)
		}
	}
	for id := range v.spent {
		if !now[id] {
			gone = append(gone, rules.SpentKey(id))
		}
	}
	if len(set)+len(gone) == 0 {
		return nil
	}
	if err := v.book.Change(set, gone); err != nil {
		v.whole = false
		r.again()
		return fmt.Errorf("router: stop interfaces with too many flows: %w", err)
	}
	v.spent = now
	return nil
}
