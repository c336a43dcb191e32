package hub

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Config is what a Hub needs.
type Config struct {
	Store store.Store // required
	// Server is the id of this server process, new at each start. Required.
	Server string
	// Verify authenticates the request of a handshake by its signature. Required.
	Verify func(*http.Request) (sigv4.Identity, error)
	// Grace is how long an instance may take to come back after a server's end
	// before it counts as disconnected. Optional: 20 s.
	Grace time.Duration
	// Heartbeat is the time between two heartbeats. Optional: 30 s.
	Heartbeat time.Duration
	Log       *slog.Logger // required
}

// Hub holds the sessions of this server.
type Hub struct {
	Config

	mu       sync.Mutex
	sessions map[string]*control // by key of the instance
	ctx      context.Context     // of Run; nil before
	wg       sync.WaitGroup
}

// New makes a Hub. Its handlers refuse connections until Run.
func New(c Config) *Hub {
	if c.Grace == 0 {
		c.Grace = 20 * time.Second
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 30 * time.Second
	}
	return &Hub{Config: c, sessions: make(map[string]*control)}
}

// Run follows the store and wakes sessions until ctx ends; then it closes them all
// and returns when they have ended.
func (h *Hub) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer h.wg.Wait()
	defer cancel()
	h.mu.Lock()
	h.ctx = ctx
	h.mu.Unlock()
	h.wg.Go(func() { h.expireStrangers(ctx) })

	sub := h.Store.Watch(ctx, tables.TaskDesireds.Name(), tables.InstanceStates.Name())
	defer sub.Close()
	for {
		batch, err := sub.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		h.dispatch(batch)
	}
}

// dispatch wakes the sessions that a batch concerns.
func (h *Hub) dispatch(b store.Batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.Resync {
		for _, s := range h.sessions {
			s.wakeAll()
		}
		return
	}
	for _, c := range b.Changes {
		if _, d, ok := tables.TaskDesireds.Of(c); ok && d != nil {
			if s := h.sessions[tables.MemberKey(d.Home, d.Cluster, d.Instance)]; s != nil {
				s.wake(c.Key)
			}
		}
		if _, st, ok := tables.InstanceStates.Of(c); ok && (st == nil || st.Status == ecs.InstanceInactive) {
			if s := h.sessions[c.Key]; s != nil {
				s.end(errInactive)
			}
		}
	}
}

// join makes s the session of its instance and ends the one it replaces. It
// answers false when the hub is not running.
func (h *Hub) join(s *control) (context.Context, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx == nil || h.ctx.Err() != nil {
		return nil, false
	}
	if old := h.sessions[s.key]; old != nil {
		old.end(errReplaced)
	}
	h.sessions[s.key] = s
	h.wg.Add(1)
	return h.ctx, true
}

// leave ends what join began.
func (h *Hub) leave(s *control) {
	defer h.wg.Done()
	h.mu.Lock()
	if h.sessions[s.key] == s {
		delete(h.sessions, s.key)
	}
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := h.disconnected(ctx, s.key, s.id); err != nil && !errors.Is(err, store.ErrClosed) {
		s.log.Warn("could not note the end of a session", "error", err)
	}
}

func (h *Hub) disconnected(ctx context.Context, instance, session string) error {
	return h.Store.Update(ctx, func(tx store.Tx) error {
		tables.MarkConnected(tx, instance, session, false)
		return nil
	})
}

// expireStrangers marks the instances as disconnected whose session belonged to an
// earlier server process and that did not come back within the grace time.
func (h *Hub) expireStrangers(ctx context.Context) {
	var found map[string]string // key of the instance → session
	_ = h.Store.View(ctx, store.Any, func(tx store.Tx) error {
		found = tables.ConnectedSessions(tx)
		return nil
	})
	select {
	case <-ctx.Done():
		return
	case <-time.After(h.Grace):
	}
	for key, session := range found {
		if err := h.disconnected(ctx, key, session); err != nil && ctx.Err() == nil {
			h.Log.Warn("could not note a lost agent", "instance", key, "error", err)
		}
	}
}

var (
	errInactive = errors.New("the container instance was deregistered")
	errReplaced = errors.New("the agent connected anew")
	errSilent   = errors.New("the agent does not acknowledge heartbeats")
)
