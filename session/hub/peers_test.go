package hub_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// peers is a store with an instance whose session another server holds, and a hub beside that server, in virtual time.
type peers struct {
	t     *testing.T
	store store.Store
}

const beat = 5 * time.Second

func (p peers) update(f func(store.Tx)) {
	p.t.Helper()
	if err := p.store.Update(p.t.Context(), func(tx store.Tx) error { f(tx); return nil }); err != nil {
		p.t.Fatal(err)
	}
}

func (p peers) view(f func(store.Tx)) {
	p.t.Helper()
	if err := p.store.View(p.t.Context(), store.Fresh, func(tx store.Tx) error { f(tx); return nil }); err != nil {
		p.t.Fatal(err)
	}
}

// connected says whether the instance is, and whether the other server is known.
func (p peers) connected() (instance, server bool) {
	p.t.Helper()
	p.view(func(tx store.Tx) {
		_, server = tables.Servers.Peek(tx, tables.ServerKey("other"))
		instance = tables.Connected(tx, instanceKey)
	})
	return instance, server
}

func inPeers(t *testing.T, every time.Duration, f func(peers)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := peers{t, mem.Open(tables.Schema(), mem.Options{})}
		p.update(func(tx store.Tx) {
			tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: home, Cluster: cluster, ID: instanceID, Status: ecs.InstanceActive, Connected: true, Session: "other/7"})
			tables.Beat(tx, "other")
		})
		h := hub.New(hub.Config{Store: p.store, Server: "this", Beat: every, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = h.Run(ctx) }()
		f(p)
		cancel()
		<-done
		if err := p.store.Close(); err != nil {
			t.Error(err)
		}
	})
}

// pass lets time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestWhatAnotherServerHoldsIsLeftAlone(t *testing.T) {
	inPeers(t, beat, func(p peers) {
		for range 100 {
			pass(beat)
			p.update(func(tx store.Tx) { tables.Beat(tx, "other") })
			if instance, _ := p.connected(); !instance {
				t.Fatal("the session of a server that is there counts as ended")
			}
		}
		p.view(func(tx store.Tx) {
			if n := tables.Beats(tx, "this"); n < 100 {
				t.Errorf("this server has said %d times that it is there", n)
			}
		})
	})
}

func TestTheSessionsOfAServerThatIsGoneEnd(t *testing.T) {
	for name, never := range map[string]bool{"it says nothing any more": false, "it never said anything": true} {
		t.Run(name, func(t *testing.T) {
			inPeers(t, beat, func(p peers) {
				if never {
					p.update(func(tx store.Tx) { tables.Servers.Delete(tx, tables.ServerKey("other")) })
				}
				pass(3 * beat)
				if instance, server := p.connected(); !instance || server == never {
					t.Fatalf("before the grace time: connected %v, server known %v", instance, server)
				}
				pass(3 * beat)
				if instance, server := p.connected(); instance || server {
					t.Errorf("after it: connected %v, server known %v", instance, server)
				}
			})
		})
	}
}

// A server that is alone writes nothing while nothing happens, and ends what an earlier process left.
func TestAServerAloneSaysNothing(t *testing.T) {
	inPeers(t, 0, func(p peers) {
		pass(time.Hour)
		p.view(func(tx store.Tx) {
			if tables.Beats(tx, "this") != 0 {
				t.Error("it says that it is there")
			}
		})
		if instance, _ := p.connected(); instance {
			t.Error("what an earlier process left is there still")
		}
	})
}

// A server that was cut off from the others, who took its sessions for ended, says that they are not.
func TestASessionThatWasTakenForEndedIsNotedAgain(t *testing.T) {
	w := newWorld(t, func(c *hub.Config) { c.Beat = 5 * time.Millisecond })
	w.connect()
	for range 3 {
		w.until("the instance to be connected", w.connected)
		w.update(func(tx store.Tx) {
			s, _ := tables.InstanceStates.Get(tx, instanceKey)
			tables.MarkConnected(tx, instanceKey, s.Session, false)
		})
	}
	w.until("the instance to be connected again", w.connected)
}
