package router

import (
	"errors"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// errLinkLost is why an interface is not ready that was.
var errLinkLost = errors.New("router: somebody in the task deleted eth0: the task has no network until it starts anew")

// watch tells at once that the link of an interface is gone: a task that may do so deleted its eth0, and the router's end went with it. It
// is not made again for a task that is in the old namespace; the next look at everything makes it for the next one.
func (v *vpc) watch() error { return netspace.WatchGone(v.ns, v.quit, v.lost) }

// lost: links that the router itself deletes are nobody's any more.
func (v *vpc) lost(index int) {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	if v.r.vpcs[v.id] != v {
		return
	}
	for id, p := range v.ports {
		if p.done && p.link.Attrs().Index == index {
			v.r.ready.Unset(id, errLinkLost)
			v.r.cfg.Log.Error("an interface lost its link", "interface", id, "vpc", v.id, "error", errLinkLost)
		}
	}
}
