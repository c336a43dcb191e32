package link_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/link"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire/sigv4"
)

const (
	node   = "7XKQ2MNODE"
	region = "us-east-1"
	owner  = "000000000000"
)

// feed is a feed whose changes a test makes. What a node has not fetched is put together.
type feed struct {
	mu   sync.Mutex
	subs []*subscription
}

type subscription struct {
	home ecs.Home
	node string
	have int64

	mu     sync.Mutex
	next   *nodeconf.Delta
	bell   chan struct{}
	closed bool
}

func (f *feed) Subscribe(h ecs.Home, node string, have int64) link.Subscription {
	s := &subscription{home: h, node: node, have: have, bell: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subs = append(f.subs, s)
	return s
}

func (s *subscription) push(d nodeconf.Delta) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		from := s.next.From
		s.next.Join(d)
		s.next.From = from
	} else {
		s.next = &d
	}
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

func (s *subscription) Ready() <-chan struct{} { return s.bell }

func (s *subscription) Take(context.Context) (nodeconf.Delta, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.next
	if s.next = nil; d == nil {
		return nodeconf.Delta{}, false, nil
	}
	return *d, true, nil
}

func (s *subscription) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// world is a link over a store that knows one node.
type world struct {
	t    *testing.T
	ctx  context.Context
	url  string
	feed *feed
	reg  *prometheus.Registry
	stop func()
	link *link.Link

	account, region string // of the caller
}

func newWorld(t *testing.T, edits ...func(*link.Config)) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, feed: &feed{}, reg: prometheus.NewRegistry(), account: owner, region: region}
	s := mem.Open(tables.Schema(), mem.Options{})
	err := s.Update(ctx, func(tx store.Tx) error {
		tables.Instances.Put(tx, &ecs.Instance{Home: ecs.Home{Account: owner, Region: region}, Cluster: "default", ID: "1f", Node: node})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c := link.Config{
		Store: s, Feed: w.feed, Heartbeat: time.Hour, Log: slog.New(slog.DiscardHandler), Metrics: w.reg,
		Verify: func(*http.Request) (sigv4.Identity, error) {
			if w.account == "" {
				return sigv4.Identity{}, errors.New("the signature does not match")
			}
			return sigv4.Identity{Key: sigv4.Key{Account: w.account}, Scope: sigv4.Scope{Region: w.region}}, nil
		},
	}
	for _, edit := range edits {
		edit(&c)
	}
	l := link.New(c)
	w.link = l
	running, stop := context.WithCancel(ctx)
	w.stop = stop
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(running) }()
	mux := http.NewServeMux()
	mux.HandleFunc("/", l.Serve)
	mux.HandleFunc("/proxy", l.ServeProxy)
	srv := httptest.NewServer(mux)
	w.url = srv.URL
	t.Cleanup(func() { stop(); <-done; srv.Close(); _ = s.Close() })
	return w
}

// peer is a node's end.
type peer struct {
	w    *world
	conn *websocket.Conn
}

func (w *world) dial(node string, version int64) (*peer, string, error) {
	w.t.Helper()
	c, resp, err := websocket.Dial(w.ctx, w.url+"/?node="+node+"&version="+strconv.FormatInt(version, 10), //nolint:bodyclose // the library has read it
		&websocket.DialOptions{CompressionMode: websocket.CompressionNoContextTakeover})
	if err != nil {
		if resp == nil {
			return nil, "", err
		}
		b, _ := io.ReadAll(resp.Body)
		return nil, strconv.Itoa(resp.StatusCode) + " " + string(b), err
	}
	c.SetReadLimit(8 << 20)
	w.t.Cleanup(func() { _ = c.CloseNow() })
	return &peer{w, c}, "", nil
}

func (w *world) connect(version int64) *peer {
	w.t.Helper()
	p, refusal, err := w.dial(node, version)
	if err != nil {
		w.t.Fatalf("%v %s", err, refusal)
	}
	return p
}

// sub waits for the n-th subscription.
func (w *world) sub(n int) *subscription {
	w.t.Helper()
	for w.ctx.Err() == nil {
		w.feed.mu.Lock()
		if len(w.feed.subs) > n {
			defer w.feed.mu.Unlock()
			return w.feed.subs[n]
		}
		w.feed.mu.Unlock()
		runtime.Gosched()
	}
	w.t.Fatal("nobody subscribed")
	return nil
}

func next[M session.Message](p *peer) M {
	p.w.t.Helper()
	for {
		_, data, err := p.conn.Read(p.w.ctx)
		if err != nil {
			p.w.t.Fatalf("read: %v", err)
		}
		m, err := session.Decode(data)
		if err != nil {
			p.w.t.Fatal(err)
		}
		if m, ok := m.(M); ok {
			return m
		}
	}
}

func (p *peer) send(m session.Message) {
	p.w.t.Helper()
	data, err := session.Encode(m)
	if err != nil {
		p.w.t.Fatal(err)
	}
	if err := p.conn.Write(p.w.ctx, websocket.MessageText, data); err != nil {
		p.w.t.Fatal(err)
	}
}

// closed waits until the server ends the session.
func (p *peer) closed() {
	p.w.t.Helper()
	for {
		if _, _, err := p.conn.Read(p.w.ctx); err != nil {
			if p.w.ctx.Err() != nil {
				p.w.t.Fatal("the session goes on")
			}
			return
		}
	}
}

// delta has n interfaces.
func delta(from, to int64, n int) nodeconf.Delta {
	d := nodeconf.Delta{From: from, To: to}
	d.Set.Interfaces = map[string]nodeconf.Interface{}
	for i := range n {
		id := "eni-" + strconv.FormatInt(to, 10) + "-" + strconv.Itoa(i)
		d.Set.Interfaces[id] = nodeconf.Interface{ID: id, VPC: "vpc-1", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.4")}}
	}
	return d
}

func (w *world) metric(name string) float64 {
	w.t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	w.t.Fatalf("no metric %s", name)
	return 0
}

func (w *world) until(what string, f func() bool) {
	w.t.Helper()
	for !f() {
		if w.ctx.Err() != nil {
			w.t.Fatal("waited in vain for " + what)
		}
		runtime.Gosched()
	}
}

func TestANodeFollowsItsConfiguration(t *testing.T) {
	w := newWorld(t)
	p := w.connect(0)
	s := w.sub(0)
	if s.node != node || s.have != 0 {
		t.Fatalf("subscribed for %s from %d", s.node, s.have)
	}
	s.push(delta(0, 5, 2))
	if m := next[*session.NodeConfigurationMessage](p); m.More || m.Delta.From != 0 || m.Delta.To != 5 || len(m.Delta.Set.Interfaces) != 2 {
		t.Errorf("%+v", m)
	}
	w.until("the change to be open", func() bool { return w.metric("berth_link_lag_revisions") == 5 })
	p.send(&session.NodeConfigurationAck{Version: 5, Applied: 5})
	w.until("the change to be applied", func() bool { return w.metric("berth_link_lag_revisions") == 0 })
	s.push(delta(5, 6, 1))
	if m := next[*session.NodeConfigurationMessage](p); m.Delta.From != 5 || m.Delta.To != 6 {
		t.Errorf("%+v", m)
	}
	p.send(&session.NodeConfigurationAck{Version: 6, Applied: 5, Error: "no such device"})
	w.until("the failure to be counted", func() bool { return w.metric("berth_link_failures_total") == 1 })
	if n := w.metric("berth_link_nodes"); n != 1 {
		t.Errorf("%v nodes", n)
	}
	_ = p.conn.CloseNow()
	w.until("the node to be gone", func() bool { return w.metric("berth_link_nodes") == 0 })
}

// A node that comes back says what it has; one that cannot go on from what it hears asks for the whole.
func TestResumeAndResync(t *testing.T) {
	w := newWorld(t)
	p := w.connect(41)
	s := w.sub(0)
	if s.have != 41 {
		t.Fatalf("subscribed from %d", s.have)
	}
	s.push(delta(40, 42, 1)) // it does not follow
	next[*session.NodeConfigurationMessage](p)
	p.send(&session.NodeConfigurationAck{Version: 41, Resync: true})
	again := w.sub(1)
	if again.have != 0 {
		t.Errorf("subscribed again from %d", again.have)
	}
	w.until("the first subscription to be closed", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.closed })
	again.push(delta(0, 43, 1))
	if m := next[*session.NodeConfigurationMessage](p); m.Delta.From != 0 || m.Delta.To != 43 {
		t.Errorf("%+v", m)
	}
}

// A change of many megabytes comes in parts that fit into frames.
func TestALargeChangeComesInParts(t *testing.T) {
	w := newWorld(t)
	p := w.connect(0)
	want := delta(0, 9, 8000)
	w.sub(0).push(want)
	var got nodeconf.Delta
	parts := 0
	for {
		m := next[*session.NodeConfigurationMessage](p)
		got.Join(m.Delta)
		parts++
		if raw, _ := json.Marshal(m); len(raw) > 1<<21 {
			t.Fatalf("a part of %d bytes", len(raw))
		}
		if !m.More {
			break
		}
	}
	if parts < 2 || got.From != 0 || got.To != 9 || got.Set.Text() != want.Set.Text() {
		t.Errorf("%d parts, %d interfaces", parts, len(got.Set.Interfaces))
	}
}

// Of a node that acknowledges nothing, changes are put together: it is not sent one after the other for ever.
func TestANodeThatDoesNotKeepUp(t *testing.T) {
	w := newWorld(t)
	p := w.connect(0)
	s := w.sub(0)
	const changes = 200
	from := int64(0)
	for i := range int64(changes) {
		s.push(delta(from, i+1, 1))
		from = i + 1
	}
	var last int64
	told := 0
	for last < changes {
		m := next[*session.NodeConfigurationMessage](p)
		if m.Delta.From != last {
			t.Fatalf("after %d comes a change from %d", last, m.Delta.From)
		}
		last = m.Delta.To
		if told++; told == 8 { // what may be under way; now it acknowledges again
			s.push(delta(last, changes+1, 1))
			p.send(&session.NodeConfigurationAck{Version: last, Applied: last})
		}
	}
	if told > 20 {
		t.Errorf("%d changes were sent", told)
	}
}

func TestWhoIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*world)
		node string
		want string
	}{
		"a wrong signature":  {func(w *world) { w.account = "" }, node, "403 {\"AccessDeniedException\""},
		"another account":    {func(w *world) { w.account = "111111111111" }, node, "403 {\"InvalidInstanceException\""},
		"another region":     {func(w *world) { w.region = "eu-west-1" }, node, "403 {\"InvalidInstanceException\""},
		"a node nobody has":  {func(*world) {}, "STRANGER", "403 {\"InvalidInstanceException\""},
		"a name that is key": {func(*world) {}, "a%2Fb", "400 {\"BadRequestException\""},
		"no name":            {func(*world) {}, "", "400 {\"BadRequestException\""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.edit(w)
			if _, refusal, err := w.dial(c.node, 0); err == nil || !strings.HasPrefix(refusal, c.want) {
				t.Errorf("%v %s", err, refusal)
			}
		})
	}
	w := newWorld(t)
	if _, refusal, err := w.dial(node, -1); err == nil || !strings.HasPrefix(refusal, "400") {
		t.Errorf("a version below zero: %v %s", err, refusal)
	}
}

func TestANewSessionEndsTheOneBefore(t *testing.T) {
	w := newWorld(t)
	a := w.connect(0)
	w.sub(0)
	b := w.connect(7)
	s := w.sub(1)
	a.closed()
	s.push(delta(7, 8, 1))
	next[*session.NodeConfigurationMessage](b)
	w.stop() // the server ends
	b.closed()
}

// Nodes name themselves: one of another account that has the same name neither ends a node's session nor follows its configuration.
func TestANameThatTwoAccountsHave(t *testing.T) {
	other := ecs.Home{Account: "111111111111", Region: "eu-west-1"}
	var s store.Store
	w := newWorld(t, func(c *link.Config) { s = c.Store })
	err := s.Update(w.ctx, func(tx store.Tx) error {
		tables.Instances.Put(tx, &ecs.Instance{Home: other, Cluster: "default", ID: "2f", Node: node})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a := w.connect(0)
	first := w.sub(0)
	w.account, w.region = other.Account, other.Region
	w.connect(0)
	second := w.sub(1)
	if first.home != (ecs.Home{Account: owner, Region: region}) || second.home != other {
		t.Errorf("they follow what is of %v and %v", first.home, second.home)
	}
	first.push(delta(0, 5, 1))
	next[*session.NodeConfigurationMessage](a)
}

func TestHeartbeats(t *testing.T) {
	w := newWorld(t, func(c *link.Config) { c.Heartbeat = 5 * time.Millisecond })
	p := w.connect(0)
	for range 20 { // more than may stay without acknowledgement
		m := next[*session.HeartbeatMessage](p)
		p.send(&session.HeartbeatAckRequest{MessageID: m.MessageID})
	}
	p.closed() // now it acknowledges nothing
}

// Few resources may be large, too: they come in parts like many.
func TestFewLargeResourcesComeInParts(t *testing.T) {
	w := newWorld(t)
	p := w.connect(0)
	want := nodeconf.Delta{To: 9}
	want.Set.Groups = map[string]nodeconf.Group{}
	for _, id := range []string{"sg-1", "sg-2", "sg-3"} {
		rules := make([]nodeconf.Allow, 15000)
		want.Set.Groups[id] = nodeconf.Group{ID: id, Ingress: rules}
	}
	w.sub(0).push(want)
	var got nodeconf.Delta
	parts := 1
	for {
		m := next[*session.NodeConfigurationMessage](p)
		got.Join(m.Delta)
		if !m.More {
			break
		}
		parts++
	}
	if parts < 2 || got.Set.Text() != want.Set.Text() {
		t.Errorf("%d parts, %d groups", parts, len(got.Set.Groups))
	}
}
