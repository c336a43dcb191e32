package link_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/link"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// A node that was removed hears nothing more, and one that comes just then neither.
func TestSessionsOfRemovedMachinesEnd(t *testing.T) {
	var gone atomic.Bool
	w := newWorld(t, func(c *link.Config) {
		c.Removed = func(machine string) bool { return machine == node && gone.Load() }
		c.Verify = func(*http.Request) (sigv4.Identity, error) {
			p := joining.Principal(joining.Home{Account: owner, Region: region}, node)
			return sigv4.Identity{Key: sigv4.Key{Account: owner, Principal: p}, Scope: sigv4.Scope{Region: region}}, nil
		}
	})
	p := w.connect(0)
	next[*session.HeartbeatMessage](p)
	w.link.Expel() // of a machine that is there, it ends nothing
	p.send(&session.HeartbeatAckRequest{MessageID: "1"})

	gone.Store(true)
	w.link.Expel()
	p.closed()
	w.connect(0).closed()
}
