package hub_test

import (
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/hub"
)

// A machine that was removed has no session any more, and one that opens just then ends.
func TestSessionsOfRemovedMachinesEnd(t *testing.T) {
	var gone atomic.Bool
	w := newWorld(t, func(c *hub.Config) {
		c.Removed = func(machine string) bool { return machine == instanceID && gone.Load() }
	})
	w.principal.Store(joining.Principal(joining.Home(home), instanceID))
	control := w.connect()
	w.until("the agent to be connected", w.connected)
	feed, _, err := w.dial("/tcs/ws", url.Values{"containerInstance": {home.InstanceARN(cluster, instanceID)}})
	if err != nil {
		t.Fatal(err)
	}
	w.hub.Expel() // of a machine that is there, it ends nothing
	w.launch("aaaa")
	next[*session.PayloadMessage](control)

	gone.Store(true)
	w.hub.Expel()
	ended(t, w, control.conn)
	ended(t, w, feed)
	late := w.connect()
	ended(t, w, late.conn)
}

// The keys of a machine open no session of another's instance.
func TestSessionsAreOfTheMachineWhoseKeysOpenThem(t *testing.T) {
	w := newWorld(t)
	w.principal.Store(joining.Principal(joining.Home(home), "2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e"))
	_, refusal, err := w.dial("/acs/ws", url.Values{"containerInstanceArn": {home.InstanceARN(cluster, instanceID)}})
	if err == nil || !strings.Contains(refusal, "AccessDeniedException") || !strings.Contains(refusal, "another machine") {
		t.Errorf("%v %s", err, refusal)
	}
}

// ended waits until the server has closed a socket.
func ended(t *testing.T, w *world, c *websocket.Conn) {
	t.Helper()
	for {
		_, _, err := c.Read(w.ctx)
		if w.ctx.Err() != nil {
			t.Fatal("the session goes on")
		}
		if err != nil {
			return
		}
	}
}
