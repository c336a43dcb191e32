package hub

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/session/telemetry"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Config is what a Hub needs.
type Config struct {
	Store store.Store // required
	// Wings are what follows when a task changes.
	Wings tables.Wings
	// Server is the id of this server process, new at each start. Required.
	Server string
	// Beat is how often this process says that it is there, so that others know which sessions are still held. Optional: there are no others, and what an
	// earlier process left is all that can be.
	Beat time.Duration
	// Verify authenticates the request of a handshake by its signature. Required.
	Verify func(*http.Request) (sigv4.Identity, error)
	// Removed tells whether a machine that joined has been removed since. Optional: none is.
	Removed func(machine string) bool
	// Grace is how long an instance may take to come back after a server's end
	// before it counts as disconnected, and how long another server may say nothing. Optional: 20 s.
	Grace time.Duration
	// Heartbeat is the time between two heartbeats. Optional: 30 s.
	Heartbeat time.Duration
	// Resend is when a payload that was not acknowledged is sent again. Optional: 30 s.
	Resend time.Duration
	Log    *slog.Logger // required
}

// Hub holds the sessions of this server.
type Hub struct {
	Config

	opened atomic.Int64     // sessions so far
	use    telemetry.Memory // what containers use

	running chan struct{} // closed by Run

	mu       sync.Mutex
	sessions map[string]*control // by key of the instance
	feeds    map[string]*feed    // the same of telemetry
	ctx      context.Context     // of Run; nil before
	wg       sync.WaitGroup
}

// New makes a Hub. Its handlers hold connections back until Run.
func New(c Config) *Hub {
	if c.Grace == 0 {
		c.Grace = 20 * time.Second
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 30 * time.Second
	}
	if c.Resend == 0 {
		c.Resend = 30 * time.Second
	}
	if c.Removed == nil {
		c.Removed = func(string) bool { return false }
	}
	return &Hub{Config: c, running: make(chan struct{}), sessions: make(map[string]*control), feeds: make(map[string]*feed)}
}

// Run follows the store and wakes sessions until ctx ends; then it closes them all
// and returns when they have ended.
func (h *Hub) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer h.wg.Wait()
	defer func() {
		h.mu.Lock() // nobody joins between the end and the wait
		defer h.mu.Unlock()
		cancel()
	}()
	h.mu.Lock()
	h.ctx = ctx
	h.mu.Unlock()
	close(h.running)
	h.wg.Go(func() {
		if h.Beat > 0 {
			h.attend(ctx)
			return
		}
		h.expireStrangers(ctx)
	})

	sub := h.Store.Watch(ctx, h.watched()...)
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
			if !tables.Listened(b.Snapshot, s.key) {
				h.dismiss(s.key)
			}
		}
		return
	}
	for _, c := range b.Changes {
		if _, d, ok := tables.TaskDesireds.Of(c); ok && d != nil {
			if s := h.sessions[tables.HostKey(d.Home, d.RunsOn())]; s != nil {
				s.wake(c.Key)
			}
		}
		h.release(b.Snapshot, c)
		if _, st, ok := tables.InstanceStates.Of(c); ok && (st == nil || st.Status == ecs.InstanceInactive) {
			h.dismiss(c.Key)
		}
	}
}

// dismiss ends the sessions of an instance that is not listened to any more.
func (h *Hub) dismiss(instance string) {
	if s := h.sessions[instance]; s != nil {
		s.end(errInactive)
	}
	if f := h.feeds[instance]; f != nil {
		f.cancel(errInactive)
	}
}

// Expel ends the sessions of machines that have been removed. One that opens meanwhile asks by itself, once it is among those that are looked at here.
func (h *Hub) Expel() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		if s.machine != "" && h.Removed(s.machine) {
			s.end(errRemoved)
		}
	}
	for _, f := range h.feeds {
		if f.machine != "" && h.Removed(f.machine) {
			f.cancel(errRemoved)
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

// holds answers whether s is the session of its instance.
func (h *Hub) holds(s *control) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[s.key] == s
}

// leave ends what join began.
func (h *Hub) leave(s *control) {
	defer h.wg.Done()
	h.mu.Lock()
	if h.sessions[s.key] == s {
		delete(h.sessions, s.key)
	}
	running := h.ctx
	h.mu.Unlock()
	h.lost(running, s.key, s.id)
}

// lost notes that a session has ended. An instance that stayed connected without an
// agent would be given tasks that nobody starts, so it tries until the store takes it, or
// once when the hub is ending: the next one looks for what this one left.
func (h *Hub) lost(running context.Context, instance, session string) {
	for wait := noteAgain; ; wait = min(2*wait, writeTimeout) {
		err := h.note(running, instance, session)
		if err == nil || errors.Is(err, store.ErrClosed) {
			return
		}
		h.Log.Warn("could not note the end of a session", "instance", instance, "error", err)
		select {
		case <-running.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (h *Hub) note(ctx context.Context, instance, session string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
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
		h.lost(ctx, key, session)
	}
}

// noteAgain is how long to wait, at first, before a write is tried again.
const noteAgain = 250 * time.Millisecond

var (
	errInactive = errors.New("the container instance was deregistered")
	errRemoved  = errors.New("the machine was removed")
	errReplaced = errors.New("the agent connected anew")
	errIdle     = errors.New("the agent publishes nothing")
	errSilent   = errors.New("the agent does not acknowledge heartbeats")
)
