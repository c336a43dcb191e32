package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/compose"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

const (
	writeTimeout = 30 * time.Second
	// maxSilent is how many heartbeats in a row may stay without acknowledgement.
	maxSilent = 4
)

// control is one agent's control session.
type control struct {
	hub        *Hub
	conn       *websocket.Conn
	inst       *ecs.Instance
	key        string // of the instance
	machine    string // that joined and whose keys opened it; "" for none
	id         string
	clusterARN string // as the agent wants it echoed
	agent      tables.Agent
	log        *slog.Logger

	outbox   session.Outbox
	messages int64           // counter for message ids
	manifest string          // message id of the manifest that may still be verified
	listed   map[string]bool // task ARNs of that manifest
	silent   int             // heartbeats without acknowledgement
	inbox    chan session.Message
	waits    map[string]*time.Timer // for the ends of stops that wait for load balancers, by task
	cancel   context.CancelCauseFunc

	mu    sync.Mutex
	dirty map[string]bool
	all   bool
	bell  chan struct{} // something is dirty
}

func newControl(h *Hub, conn *websocket.Conn, inst *ecs.Instance) *control {
	return &control{
		hub: h, conn: conn, inst: inst,
		key:   tables.MemberKey(inst.Home, inst.Cluster, inst.ID),
		id:    h.Server + "/" + strconv.FormatInt(h.opened.Add(1), 10),
		log:   h.Log.With("instance", inst.ID),
		inbox: make(chan session.Message, 16),
		dirty: make(map[string]bool),
		waits: make(map[string]*time.Timer),
		bell:  make(chan struct{}, 1),
	}
}

// serve runs the session until either side ends it.
func (s *control) serve() {
	base, cancel := context.WithCancelCause(context.Background())
	s.cancel = cancel
	parent, ok := s.hub.join(s)
	if !ok {
		_ = s.conn.Close(websocket.StatusGoingAway, "the server is not ready")
		return
	}
	defer s.hub.leave(s)
	if s.machine != "" && s.hub.Removed(s.machine) { // since its keys were looked at
		cancel(errRemoved)
	}
	stop := context.AfterFunc(parent, func() { cancel(context.Canceled) })
	defer stop()

	err := s.run(base)
	s.waitNoMore()
	if cause := context.Cause(base); cause != nil {
		err = cause
	}
	cancel(err)
	s.log.Info("control session ended", "why", err)
	code := websocket.StatusNormalClosure
	if errors.Is(err, context.Canceled) {
		code = websocket.StatusGoingAway
	}
	_ = s.conn.Close(code, "")
}

// end asks the session to end, for the given reason.
func (s *control) end(why error) { s.cancel(why) }

func (s *control) run(ctx context.Context) error {
	if err := s.arrive(ctx); err != nil {
		return err
	}
	s.log.Info("control session open", "agent", s.agent.Version)
	read := make(chan error, 1)
	go func() { read <- s.read(ctx) }()

	if err := s.greet(ctx); err != nil {
		return err
	}
	beat := time.NewTicker(s.hub.Heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-read:
			return err
		case <-s.bell:
			err = s.deliver(ctx)
		case m := <-s.inbox:
			err = s.handle(ctx, m)
		case <-beat.C:
			err = s.beat(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// arrive notes that the agent is there. It looks inside the transaction whether the
// session still counts: another may have replaced it while the store was slow, and the
// instance may have gone since the handshake looked.
func (s *control) arrive(ctx context.Context) error {
	return s.hub.Store.Update(ctx, func(tx store.Tx) error {
		if !s.hub.holds(s) {
			return errReplaced
		}
		if !tables.Listened(tx, s.key) {
			return errInactive
		}
		tables.MarkAgent(tx, s.key, s.agent)
		tables.MarkConnected(tx, s.key, s.id, true)
		return nil
	})
}

// read passes the agent's messages to the session's own goroutine.
func (s *control) read(ctx context.Context) error {
	pace := newPace()
	for {
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		_, data, err := s.conn.Read(ctx)
		if err != nil {
			return err
		}
		m, err := session.Decode(data)
		switch {
		case errors.Is(err, session.ErrUnknownType):
			s.log.Debug("message dropped", "error", err)
			continue
		case err != nil:
			return err
		}
		select {
		case s.inbox <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wake marks a task as changed.
func (s *control) wake(task string) {
	s.mu.Lock()
	s.dirty[task] = true
	s.mu.Unlock()
	s.ring()
}

// wakeAll marks every task of the instance as changed.
func (s *control) wakeAll() {
	s.mu.Lock()
	s.all = true
	s.mu.Unlock()
	s.ring()
}

func (s *control) ring() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// greet sends what an agent is told first: a heartbeat, the manifest, and then
// all that is to be done.
func (s *control) greet(ctx context.Context) error {
	if err := s.beat(ctx); err != nil {
		return err
	}
	var manifest session.TaskManifestMessage
	err := s.hub.Store.View(ctx, store.Any, func(tx store.Tx) error {
		var run []ecs.TaskView
		for v := range tables.TasksOfHost(tx, s.key, tables.Live) {
			if leaving, _ := tables.Leaving(tx, s.hub.Wings.Balancing, v); leaving || v.Desired.Status == shape.DesiredStatusRunning {
				run = append(run, v)
			}
		}
		manifest.Timeline = tx.Revision()
		manifest.Tasks = compose.Manifest(run)
		return nil
	})
	if err != nil {
		return err
	}
	s.listed = make(map[string]bool, len(manifest.Tasks))
	for _, t := range manifest.Tasks {
		s.listed[t.TaskArn] = true
	}
	manifest.ClusterArn, manifest.ContainerInstanceArn = s.clusterARN, s.inst.ARN()
	manifest.MessageID, manifest.GeneratedAt = s.nextID(), clock.Now().UnixMilli()
	s.manifest = manifest.MessageID
	if err := s.send(ctx, &manifest); err != nil {
		return err
	}
	s.wakeAll()
	return nil
}

// beat sends a heartbeat and sends again what was not acknowledged in time.
func (s *control) beat(ctx context.Context) error {
	if s.silent >= maxSilent {
		return errSilent
	}
	s.silent++
	for _, task := range s.outbox.Overdue(time.Now().Add(-s.hub.Resend)) {
		s.wake(task)
	}
	return s.send(ctx, &session.HeartbeatMessage{Healthy: true, MessageID: s.nextID()})
}

func (s *control) send(ctx context.Context, m session.Message) error {
	data, err := session.Encode(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, data); err != nil {
		return fmt.Errorf("send %s: %w", session.TypeOf(m), err)
	}
	return nil
}

func (s *control) nextID() string {
	s.messages++
	return s.id + "/" + strconv.FormatInt(s.messages, 10)
}
