package conf

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/agent/backoff"
	"github.com/berth-ecs/berth/node/agent/socket"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/session"
)

// Part is a part of the node that becomes a configuration. It is told every change, in order; the first is a whole configuration. One that
// changes nothing asks for another try of what failed. A *nodeconf.StaleError asks for the whole. It keeps no maps of the change.
type Part func(ctx context.Context, d nodeconf.Delta) error

// Config is what a Client needs.
type Config struct {
	Path  string // required: of the file
	Parts []Part // told in this order; all are told, whatever one of them says
	// State says how many interfaces are up, and some of those that are not. Optional.
	State func() (up int, down []string)
	Log   *slog.Logger // required
}

// Servers say how the node's servers are reached.
type Servers struct {
	URL    func(ctx context.Context) (string, error) // required; the base of the web socket's URL
	Dialer socket.Dialer                             // required
	Node   string                                    // required; the node's name
}

// Client follows the node's configuration. Its methods may be called at once.
type Client struct {
	cfg     Config
	log     *slog.Logger
	journal journal
	bell    chan struct{} // there is something to become
	news    chan struct{} // there is something to tell the server

	receiving receiving // of the goroutine that reads

	mu     sync.Mutex
	queue  []nodeconf.Delta // received, not taken over yet
	tail   int64            // version after the queue
	resync bool             // the server is to send the whole
	asked  bool             // and was told so
	report session.NodeConfigurationAck

	conf *nodeconf.Config // changed by the goroutine of Become only, with mu held; it reads it without
	due  nodeconf.Delta   // what conf changed by since the parts were told; of the same goroutine
	told []int64          // the version that each part was told; 0: none
	stay linger           // what the parts are told beside conf; of the same goroutine
}

// receiving are the parts of a change that came so far.
type receiving struct {
	conn socket.Conn
	d    nodeconf.Delta
}

// Open reads the configuration that the last process had.
func Open(c Config) (*Client, error) {
	k := &Client{
		cfg: c, log: c.Log.With("component", "conf"), journal: journal{path: c.Path},
		bell: make(chan struct{}, 1), news: make(chan struct{}, 1),
	}
	var err error
	if k.conf, err = k.journal.load(); err != nil {
		return nil, err
	}
	k.tail, k.report.Version = k.conf.Version, k.conf.Version
	k.due, k.told, k.stay = nodeconf.Delta{To: k.conf.Version}, make([]int64, len(c.Parts)), newLinger()
	return k, nil
}

// Version is that of the configuration which the node has; 0 for none.
func (k *Client) Version() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.conf.Version
}

// View shows the configuration to f, which keeps nothing of it.
func (k *Client) View(f func(c *nodeconf.Config)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(k.conf)
}

var (
	retryDial  = backoff.Policy{First: 250 * time.Millisecond, Most: backoff.Away, Factor: 1.5, Jitter: 0.2}
	retryApply = backoff.Policy{First: 250 * time.Millisecond, Most: 30 * time.Second, Factor: 2, Jitter: 0.2}
)

// Follow keeps the socket to the servers open until ctx ends.
func (k *Client) Follow(ctx context.Context, s Servers) error {
	keeper := socket.Keeper{
		Name: "link", URL: func(ctx context.Context) (string, error) { return k.url(ctx, s) }, Dialer: s.Dialer, Backoff: retryDial, Log: k.log, Session: k.tell, Receive: k.receive,
	}
	return keeper.Run(ctx)
}

func (k *Client) url(ctx context.Context, s Servers) (string, error) {
	base, err := s.URL(ctx)
	if err != nil {
		return "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.resync, k.asked = false, false
	q := url.Values{"node": {s.Node}, "version": {strconv.FormatInt(k.tail, 10)}}
	return base + "?" + q.Encode(), nil
}

// receive takes one frame.
func (k *Client) receive(ctx context.Context, conn socket.Conn, frame []byte) {
	m, err := session.Decode(frame)
	if err != nil {
		k.log.Warn("message dropped", "error", err)
		return
	}
	switch m := m.(type) {
	case *session.HeartbeatMessage:
		k.send(ctx, conn, &session.HeartbeatAckRequest{MessageID: m.MessageID})
	case *session.NodeConfigurationMessage:
		if k.receiving.conn != conn { // what came on an earlier connection comes again
			k.receiving = receiving{conn: conn}
		}
		k.receiving.d.Join(m.Delta)
		if !m.More {
			k.take(k.receiving.d)
			k.receiving.d = nodeconf.Delta{}
		}
	default:
		k.log.Info("message dropped: not for a node", "type", session.TypeOf(m))
	}
}

// take puts a change behind those that wait.
func (k *Client) take(d nodeconf.Delta) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case d.From == 0: // whatever waits, this is the whole
		k.queue, k.resync, k.asked = append(k.queue[:0:0], d), false, false
	case k.resync:
		return
	case d.From != k.tail:
		k.log.Warn("a change does not follow what is here", "have", k.tail, "from", d.From, "to", d.To)
		k.resync = true
		signal(k.news)
		return
	default:
		k.queue = append(k.queue, d)
	}
	k.tail = d.To
	signal(k.bell)
}

// tell acknowledges what became of changes while a connection is open. The first thing a server hears is how the node is.
func (k *Client) tell(ctx context.Context, conn socket.Conn) error {
	for {
		k.mu.Lock()
		ack := k.report
		ack.Resync = k.resync && !k.asked
		k.asked = k.resync
		k.mu.Unlock()
		k.send(ctx, conn, &ack)
		select {
		case <-ctx.Done():
			return nil
		case <-k.news:
		}
	}
}

func (k *Client) send(ctx context.Context, conn socket.Conn, m session.Message) {
	frame, err := session.Encode(m)
	if err == nil {
		err = conn.Write(ctx, frame)
	}
	if err != nil && ctx.Err() == nil {
		k.log.Warn("cannot send", "type", session.TypeOf(m), "error", err)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Become has the parts of the node be what it is told, until ctx ends: at first what the last process had, if there was one.
func (k *Client) Become(ctx context.Context) error {
	defer k.journal.close()
	failures := 0
	for again := k.Version() > 0; ; {
		var retry <-chan time.Time
		if again {
			if err := k.become(ctx); err != nil {
				retry = time.After(retryApply.Wait(failures, rand.Float64())) //nolint:gosec // jitter
				failures++
			} else {
				failures = 0
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-k.bell:
			k.adopt()
		case <-retry:
		case <-k.stay.wait(time.Now()):
		}
		again = true
	}
}

// adopt takes over all that waits, and writes it down.
func (k *Client) adopt() {
	k.mu.Lock()
	queue := k.queue
	k.queue = nil
	k.mu.Unlock()
	for _, d := range queue {
		k.mu.Lock()
		err := k.conf.Apply(d)
		if err != nil { // take has looked: it cannot be
			k.resync = true
			signal(k.news)
		}
		k.mu.Unlock()
		if err == nil {
			k.due.Then(d)
			err = k.journal.append(k.conf, d)
		}
		if err != nil {
			k.log.Error("cannot keep the configuration on the disk", "version", d.To, "error", err)
		}
	}
}

// maxDown is how many interfaces that are not up an acknowledgement names, maxError how long its error is.
const maxDown, maxError = 100, 1000

// become tells every part, and the server what came of it.
func (k *Client) become(ctx context.Context) error {
	began := time.Now()
	var err error
	d := k.due
	if d.From == 0 { // the whole
		d.Set = k.conf.Resources
	}
	d = k.stay.follow(d, began)
	passed := failpoint.Around(failpoint.BeConf)
	for i := range k.cfg.Parts {
		err = errors.Join(err, k.tellPart(ctx, i, d))
	}
	passed()
	k.due = nodeconf.Delta{From: k.conf.Version, To: k.conf.Version}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ack := session.NodeConfigurationAck{Version: k.conf.Version, Duration: max(1, time.Since(began).Milliseconds())}
	if k.cfg.State != nil {
		ack.Up, ack.Down = k.cfg.State()
		ack.Down = ack.Down[:min(len(ack.Down), maxDown)]
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.log.Error("cannot be what the servers want; will try again", "version", ack.Version, "error", err)
		text := err.Error()
		ack.Applied, ack.Error, ack.Duration = k.report.Applied, text[:min(len(text), maxError)], 0
	} else {
		ack.Applied = ack.Version
		k.log.Debug("is what the servers want", "version", ack.Version, "milliseconds", ack.Duration)
	}
	k.report = ack
	signal(k.news)
	return err
}

// tellPart tells one part what changed since it was told last, or everything.
func (k *Client) tellPart(ctx context.Context, i int, d nodeconf.Delta) error {
	if k.told[i] == 0 || d.From != k.told[i] {
		d = k.stay.whole(nodeconf.Delta{To: k.conf.Version, Set: k.conf.Resources})
	}
	err := k.cfg.Parts[i](ctx, d)
	k.told[i] = d.To
	if _, stale := errors.AsType[*nodeconf.StaleError](err); stale {
		k.told[i] = 0
	}
	return err
}
