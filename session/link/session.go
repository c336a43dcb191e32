package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/nodeconf"
	protocol "github.com/berth-ecs/berth/session"
)

const (
	writeTimeout = 30 * time.Second
	maxFrame     = 64 << 10 // of a node: acknowledgements
	partSize     = 1 << 20  // of a change
	// compressFrom: below it, compressing costs more time than sending.
	compressFrom = 64 << 10
	// window is how many changes may be under way without acknowledgement.
	window = 8
	// maxSilent is how many heartbeats in a row may stay without acknowledgement.
	maxSilent = 4
	// A node acknowledges every change, and every heartbeat.
	framesASecond, framesAtOnce = 200, 1000
)

var (
	errRemoved  = errors.New("the machine was removed")
	errReplaced = errors.New("the node connected anew")
	errSilent   = errors.New("the node does not acknowledge heartbeats")
)

// peer is the node at the other end.
type peer struct {
	home ecs.Home // whose it is
	node string
}

// session is one node's.
type session struct {
	link *Link
	conn *websocket.Conn
	peer
	machine string // that joined and whose keys opened it; "" for none
	have    int64  // version that the node came with
	log     *slog.Logger

	cancel        context.CancelCauseFunc
	sent, applied atomic.Int64 // versions
	open          []int64      // versions that were sent and are not acknowledged
	silent        int          // heartbeats without acknowledgement
	beats         int64
}

// serve runs the session until either side ends it.
func (s *session) serve() {
	ctx, ok := s.link.join(s)
	if !ok {
		_ = s.conn.Close(websocket.StatusGoingAway, "the server is not ready")
		return
	}
	defer s.link.leave(s)
	if s.machine != "" && s.link.Removed(s.machine) { // since its keys were looked at
		s.cancel(errRemoved)
	}
	s.sent.Store(s.have)
	s.applied.Store(s.have)
	err := s.run(ctx)
	code := websocket.StatusNormalClosure
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.Canceled):
		code = websocket.StatusGoingAway
	case cause != nil:
		err = cause
	}
	s.log.Info("node's session ended", "why", err)
	_ = s.conn.Close(code, "")
}

// run follows the node's configuration, anew from the whole when the node asks for it.
func (s *session) run(ctx context.Context) error {
	s.log.Info("node's session open", "version", s.have)
	ctx, end := context.WithCancel(ctx)
	defer end()
	inbox, read := make(chan protocol.Message, 16), make(chan error, 1)
	go func() { read <- s.read(ctx, inbox) }()
	beat := time.NewTicker(s.link.Heartbeat)
	defer beat.Stop()
	if err := s.beat(ctx); err != nil {
		return err
	}
	for have := s.have; ; have = 0 {
		if err := s.follow(ctx, have, events{inbox, read, beat.C}); !errors.Is(err, errResync) {
			return err
		}
		s.link.metrics.resyncs.Inc()
		s.log.Info("the node asks for the whole configuration")
	}
}

// errResync ends what follows one subscription: the node cannot go on from what it was sent.
var errResync = errors.New("the node asks for the whole")

// events are what happens in a session beside its changes.
type events struct {
	inbox <-chan protocol.Message
	read  <-chan error
	beat  <-chan time.Time
}

// follow sends the changes of one subscription.
func (s *session) follow(ctx context.Context, have int64, ev events) error {
	sub := s.link.Feed.Subscribe(s.home, s.node, have)
	defer sub.Close()
	s.open = nil
	for {
		next := sub.Ready()
		if len(s.open) >= window {
			next = nil
		}
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err = <-ev.read:
			return err
		case <-next:
			err = s.pass(ctx, sub)
		case m := <-ev.inbox:
			err = s.hear(m)
		case <-ev.beat:
			err = s.beat(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// pass sends what there is: what changes meanwhile is the feed's to put together.
func (s *session) pass(ctx context.Context, sub Subscription) error {
	d, ok, err := sub.Take(ctx)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	if !ok {
		return nil
	}
	return s.tell(ctx, d)
}

// tell sends a change, in parts when it is large.
func (s *session) tell(ctx context.Context, d nodeconf.Delta) error {
	defer failpoint.Around(failpoint.TellConf)()
	frames, err := encode(d)
	if err != nil {
		return err
	}
	for _, f := range frames {
		if err := s.write(ctx, f); err != nil {
			return fmt.Errorf("send a change: %w", err)
		}
	}
	s.open = append(s.open, d.To)
	s.sent.Store(d.To)
	s.link.metrics.sent(d)
	return nil
}

// fewResources fit into one frame nearly always: to cut them first would be to encode them twice, and most changes are of one or two.
const fewResources = 64

// encode makes a change the frames that it is sent in.
func encode(d nodeconf.Delta) ([][]byte, error) {
	if d.Set.Len()+len(d.Gone) <= fewResources {
		f, err := protocol.Encode(&protocol.NodeConfigurationMessage{Delta: d})
		if err != nil || len(f) <= partSize {
			return [][]byte{f}, err
		}
	}
	var out [][]byte
	parts := d.Split(partSize)
	for i, p := range parts {
		f, err := protocol.Encode(&protocol.NodeConfigurationMessage{Delta: p, More: i < len(parts)-1})
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// hear takes one message of the node.
func (s *session) hear(m protocol.Message) error {
	switch m := m.(type) {
	case *protocol.HeartbeatAckRequest:
		s.silent = 0
	case *protocol.NodeConfigurationAck:
		if m.Resync {
			return errResync
		}
		for len(s.open) > 0 && s.open[0] <= m.Version {
			s.open = s.open[1:]
		}
		s.applied.Store(m.Applied)
		s.link.metrics.heard(m)
		if m.Error != "" {
			s.log.Warn("the node cannot be as it should", "version", m.Version, "applied", m.Applied, "down", len(m.Down), "error", m.Error)
		}
	}
	return nil
}

func (s *session) read(ctx context.Context, to chan<- protocol.Message) error {
	pace := rate.NewLimiter(framesASecond, framesAtOnce)
	for {
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		_, data, err := s.conn.Read(ctx)
		if err != nil {
			return err
		}
		m, err := protocol.Decode(data)
		switch {
		case errors.Is(err, protocol.ErrUnknownType):
			continue
		case err != nil:
			return err
		}
		select {
		case to <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *session) beat(ctx context.Context) error {
	if s.silent >= maxSilent {
		return errSilent
	}
	s.silent++
	s.beats++
	return s.send(ctx, &protocol.HeartbeatMessage{Healthy: true, MessageID: strconv.FormatInt(s.beats, 10)})
}

func (s *session) send(ctx context.Context, m protocol.Message) error {
	data, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	if err := s.write(ctx, data); err != nil {
		return fmt.Errorf("send %s: %w", protocol.TypeOf(m), err)
	}
	return nil
}

func (s *session) write(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, frame)
}
