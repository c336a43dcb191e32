package link

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Feed knows what nodes are to be.
type Feed interface {
	// Subscribe follows the configuration of a node of an account in a region from the version that it has; 0 is none.
	Subscribe(h ecs.Home, node string, have int64) Subscription
}

// Subscription is one node's. Ready has something when Take may have a change; changes that nobody took meanwhile are one.
type Subscription interface {
	Ready() <-chan struct{}
	Take(ctx context.Context) (d nodeconf.Delta, ok bool, err error)
	Close()
}

// Config is what a Link needs.
type Config struct {
	Store store.Store // required: of container instances
	Feed  Feed        // required
	// Verify authenticates the request of a handshake by its signature. Required.
	Verify func(*http.Request) (sigv4.Identity, error)
	// Proxies is whom ServeProxy hands connections to. Optional: without it there is no ServeProxy.
	Proxies Proxies
	// Removed tells whether a machine that joined has been removed since. Optional: none is.
	Removed func(machine string) bool
	// Heartbeat is the time between two heartbeats. Optional: 30 s.
	Heartbeat time.Duration
	Log       *slog.Logger          // required
	Metrics   prometheus.Registerer // optional
}

// Link holds the sessions of this server with nodes.
type Link struct {
	Config
	metrics *metrics
	running chan struct{} // closed by Run

	mu       sync.Mutex
	sessions map[peer]*session // names of nodes are their own to choose: those of two accounts may be the same
	relays   map[peer]*relay
	ctx      context.Context // of Run; nil before
	wg       sync.WaitGroup
}

const defaultHeartbeat = 30 * time.Second

// New makes a Link. Its handler holds connections back until Run.
func New(c Config) *Link {
	if c.Heartbeat == 0 {
		c.Heartbeat = defaultHeartbeat
	}
	if c.Removed == nil {
		c.Removed = func(string) bool { return false }
	}
	l := &Link{Config: c, running: make(chan struct{}), sessions: map[peer]*session{}, relays: map[peer]*relay{}}
	l.metrics = newMetrics(c.Metrics, l.lag)
	return l
}

// Run serves sessions until ctx ends; then it closes them all and returns when they have ended.
func (l *Link) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer l.wg.Wait()
	defer func() {
		l.mu.Lock() // nobody joins between the end and the wait
		defer l.mu.Unlock()
		cancel()
	}()
	l.mu.Lock()
	l.ctx = ctx
	l.mu.Unlock()
	close(l.running)
	<-ctx.Done()
	return nil
}

// Serve answers a node that opens its session.
func (l *Link) Serve(w http.ResponseWriter, r *http.Request) {
	node := r.URL.Query().Get("node")
	have, err := strconv.ParseInt(r.URL.Query().Get("version"), 10, 64)
	if err != nil || have < 0 {
		refuse(w, refusal{"BadRequestException", "version is not the version of a configuration.", http.StatusBadRequest})
		return
	}
	home, machine, no := l.admit(r, node)
	if no != nil {
		l.Log.Info("node refused", "node", node, "code", no.code, "why", no.message)
		refuse(w, *no)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // nodes send no Origin; the signature is what admits them
		CompressionMode:    websocket.CompressionNoContextTakeover, CompressionThreshold: compressFrom,
	})
	if err != nil {
		l.Log.Info("node's session not upgraded", "error", err)
		return
	}
	conn.SetReadLimit(maxFrame)
	s := &session{link: l, conn: conn, peer: peer{home, node}, machine: machine, have: have, log: l.Log.With("node", node)}
	s.serve() //nolint:contextcheck // a session outlives the request that opened it
}

// Expel ends the sessions of machines that have been removed. One that opens meanwhile asks by itself, once it is among those that are looked at here.
func (l *Link) Expel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.sessions {
		if s.machine != "" && l.Removed(s.machine) {
			s.cancel(errRemoved)
		}
	}
	for _, y := range l.relays {
		if y.machine != "" && l.Removed(y.machine) {
			y.cancel(errRemoved)
		}
	}
}

// join makes s the session of its node and ends the one it replaces. It answers false when the link is not running.
func (l *Link) join(s *session) (context.Context, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil || l.ctx.Err() != nil {
		return nil, false
	}
	if old := l.sessions[s.peer]; old != nil {
		old.cancel(errReplaced)
	}
	ctx, cancel := context.WithCancelCause(l.ctx)
	s.cancel = cancel
	l.sessions[s.peer] = s
	l.wg.Add(1)
	l.metrics.nodes.Set(float64(len(l.sessions)))
	return ctx, true
}

// leave ends what join began.
func (l *Link) leave(s *session) {
	defer l.wg.Done()
	s.cancel(nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sessions[s.peer] == s {
		delete(l.sessions, s.peer)
	}
	l.metrics.nodes.Set(float64(len(l.sessions)))
}

// lag is the most that a node is behind what it was told, in revisions of the store.
func (l *Link) lag() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var most int64
	for _, s := range l.sessions {
		most = max(most, s.sent.Load()-s.applied.Load())
	}
	return float64(most)
}
