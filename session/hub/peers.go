package hub

import (
	"context"
	"strings"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// sighting is what a server's process said last, and when this one saw it say something else. Clocks of other machines do not matter.
type sighting struct {
	beats int64
	since time.Time
}

// attend says again and again that this server is there, and ends the sessions of servers that say so no more.
func (h *Hub) attend(ctx context.Context) {
	seen := map[string]sighting{}
	tick := time.NewTicker(h.Beat)
	defer tick.Stop()
	for {
		if err := h.say(ctx); err != nil {
			h.Log.Warn("could not say that this server is there", "error", err)
		}
		h.arriveAgain(ctx)
		h.expire(ctx, seen)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// say writes that this server is there.
func (h *Hub) say(ctx context.Context) error {
	return h.write(ctx, func(tx store.Tx) { tables.Beat(tx, h.Server) })
}

// write does what is done again at the next beat.
func (h *Hub) write(ctx context.Context, f func(store.Tx)) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return h.Store.Update(ctx, func(tx store.Tx) error { f(tx); return nil })
}

// arriveAgain notes those sessions once more that others took for ended while this server was cut off from them. An agent that has gone elsewhere
// meanwhile has its session there.
func (h *Hub) arriveAgain(ctx context.Context) {
	h.mu.Lock()
	held := make([]*control, 0, len(h.sessions))
	for _, s := range h.sessions {
		held = append(held, s)
	}
	h.mu.Unlock()
	var missed []*control
	_ = h.Store.View(ctx, store.Any, func(tx store.Tx) error {
		missed = missed[:0]
		for _, s := range held {
			if !tables.Connected(tx, s.key) && tables.Listened(tx, s.key) {
				missed = append(missed, s)
			}
		}
		return nil
	})
	for _, s := range missed {
		bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
		if err := s.arrive(bounded); err == nil {
			s.log.Info("a control session that was taken for ended is open")
		}
		cancel()
	}
}

// expire ends the sessions of servers that have said nothing for the grace time, and forgets those.
func (h *Hub) expire(ctx context.Context, seen map[string]sighting) {
	sessions, servers := h.strangers(ctx)
	for id := range seen {
		if _, ok := servers[id]; !ok {
			delete(seen, id)
		}
	}
	for id, beats := range servers {
		s, known := seen[id]
		switch {
		case !known || s.beats != beats:
			seen[id] = sighting{beats, time.Now()}
		case time.Since(s.since) >= h.Grace:
			if err := h.bury(ctx, ecs.Server{ID: id, Beats: beats}, sessions[id]); err != nil {
				h.Log.Warn("could not note the end of a server's sessions", "server", id, "error", err)
			}
		}
	}
}

// strangers are the sessions of other servers, each with its instance, and how often these servers have said that they are there.
func (h *Hub) strangers(ctx context.Context) (sessions map[string]map[string]string, servers map[string]int64) {
	sessions, servers = map[string]map[string]string{}, map[string]int64{}
	_ = h.Store.View(ctx, store.Any, func(tx store.Tx) error {
		clear(sessions)
		clear(servers)
		for _, s := range tables.Servers.List(tx, "", "") {
			servers[s.ID] = s.Beats
		}
		for instance, session := range tables.ConnectedSessions(tx) {
			id, _, _ := strings.Cut(session, "/")
			if sessions[id] == nil {
				sessions[id] = map[string]string{}
				servers[id] = tables.Beats(tx, id)
			}
			sessions[id][instance] = session
		}
		delete(servers, h.Server)
		return nil
	})
	return sessions, servers
}

// bury ends the sessions of a server and then forgets it, unless it has said something meanwhile: what this one sees may be old.
func (h *Hub) bury(ctx context.Context, gone ecs.Server, sessions map[string]string) error {
	for instance, session := range sessions {
		err := h.write(ctx, func(tx store.Tx) {
			if tables.Beats(tx, gone.ID) == gone.Beats {
				tables.MarkConnected(tx, instance, session, false)
			}
		})
		if err != nil {
			return err
		}
	}
	return h.write(ctx, func(tx store.Tx) {
		if s, ok := tables.Servers.Get(tx, tables.ServerKey(gone.ID)); ok && s.Beats == gone.Beats {
			tables.Servers.Delete(tx, tables.ServerKey(gone.ID))
		}
	})
}
