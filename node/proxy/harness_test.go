package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netns"

	"github.com/berth-ecs/berth/mesh/xds/server"
	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/proxy"
	"github.com/berth-ecs/berth/node/proxy/probe"
	"github.com/berth-ecs/berth/proxyconf"
)

var errGone = errors.New("no server is there")

// world is a node, the servers it knows, and networks of interfaces.
type world struct {
	t    *testing.T
	c    proxy.Config
	book *server.Book
	net  string // where networks are mounted

	mu     sync.Mutex
	srv    *server.Server     // nil: no server is there
	cut    context.CancelFunc // ends its connections
	health map[probe.Key]proxyconf.Health
	parts  map[string]proxyconf.PartState
	counts []proxyconf.Count
	turned chan struct{} // closed with every report
}

var node = server.Node{Account: "0", Region: "r", Name: "n"}

// Report implements server.Sink.
func (w *world) Report(_ context.Context, _ server.Node, r proxyconf.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Whole {
		w.health, w.parts = map[probe.Key]proxyconf.Health{}, map[string]proxyconf.PartState{}
	}
	for _, h := range r.Health {
		w.health[probe.Key{Part: h.Part, Endpoints: h.Endpoints, Addr: h.Addr}] = h
	}
	for _, p := range r.Parts {
		w.parts[p.Part] = p
	}
	w.counts = append(w.counts, r.Counts...)
	close(w.turned)
	w.turned = make(chan struct{})
}

// Left implements server.Sink.
func (w *world) Left(server.Node) {}

func newWorld(t *testing.T) *world {
	t.Helper()
	program := "/opt/berth/bin/envoy"
	if dir := os.Getenv("BERTH_BIN_DIR"); dir != "" {
		program = filepath.Join(dir, "envoy")
	}
	if _, err := os.Stat(program); err != nil || os.Geteuid() != 0 {
		t.Skip("needs root, for namespaces, and Envoy: hack/install.sh test brings it")
	}
	dir, err := os.MkdirTemp("", "px") // sockets have short names
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, book: server.NewBook(), net: dir, turned: make(chan struct{}), health: map[probe.Key]proxyconf.Health{}, parts: map[string]proxyconf.PartState{}}
	w.c = proxy.Config{
		Program: program, DataDir: filepath.Join(dir, "d"), RunDir: filepath.Join(dir, "r"), Spaces: w, Stream: w.stream,
		Dial: func(ctx context.Context, space string, to netip.AddrPort) (net.Conn, error) {
			return netspace.Dial(ctx, space, to)
		},
		Log: slog.New(slog.NewTextHandler(testLog{t}, nil)),
	}
	t.Cleanup(func() {
		if t.Failed() {
			text, _ := os.ReadFile(filepath.Join(w.c.DataDir, "proxy", "envoy.log"))
			t.Logf("envoy: %s", text[max(0, len(text)-4000):])
		}
		if err := proxy.Stop(context.Background(), w.c); err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return w
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// Path implements relay.Spaces.
func (w *world) Path(id string) string { return filepath.Join(w.net, id) }

// Inode implements relay.Spaces.
func (w *world) Inode(id string) uint64 {
	if !netspace.Mounted(w.Path(id)) {
		return 0
	}
	info, err := os.Stat(w.Path(id))
	if err != nil {
		return 0
	}
	return inode(info)
}

// space makes the network of an interface.
func (w *world) space(id string) {
	w.t.Helper()
	ns, err := netspace.New(func(ns netns.NsHandle) error { return netspace.Mount(ns, w.Path(id)) })
	if err != nil {
		w.t.Fatal(err)
	}
	_ = ns.Close()
	w.t.Cleanup(func() { _ = netspace.Unmount(w.Path(id)) })
	err = netspace.InsideAt(w.Path(id), func() error {
		out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// serve has a server be there until it is told to end.
func (w *world) serve() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	s := server.New(server.Config{Source: w.book, Sink: w, Log: w.c.Log})
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	w.mu.Lock()
	w.srv, w.cut = s, cancel
	w.mu.Unlock()
	var once sync.Once
	end = func() {
		once.Do(func() {
			w.mu.Lock()
			w.srv = nil
			w.mu.Unlock()
			cancel()
			<-done
		})
	}
	w.t.Cleanup(end)
	return end
}

func (w *world) stream(ctx context.Context) (net.Conn, error) {
	w.mu.Lock()
	s := w.srv
	w.mu.Unlock()
	if s == nil {
		return nil, errGone
	}
	mine, theirs := net.Pipe()
	go func() { _ = s.Serve(ctx, theirs, node) }()
	return mine, nil
}

// run is a process of the node, until it is told to end.
func (w *world) run() (p *proxy.Proxy, end func()) {
	w.t.Helper()
	p, err := proxy.Open(w.c)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	var once sync.Once
	end = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				w.t.Error(err)
			}
		})
	}
	w.t.Cleanup(end)
	return p, end
}

func (w *world) tell(n server.News) {
	w.t.Helper()
	if err := w.book.Tell(n); err != nil {
		w.t.Fatal(err)
	}
}

// web is the part of a load balancer with one listener on port 80, and its targets.
func web(id string) proxyconf.Part {
	return proxyconf.Part{
		Name: "elb/" + id, Space: "eni-" + id,
		Listeners: []proxyconf.Listener{{
			Name: "80", Port: 80, Label: "app/" + id + "/1",
			HTTP: &proxyconf.HTTP{IdleTimeout: time.Minute, KeepAlive: time.Minute, ForwardedFor: "append", Desync: "defensive", Routes: []proxyconf.Route{
				{Name: "all", Forward: []proxyconf.Weighted{{Cluster: "group", Weight: 1}}},
			}},
		}},
		Clusters: []proxyconf.Cluster{{
			Name: "group", Endpoints: "targets-" + id, Space: "eni-" + id, Protocol: "http1",
			Check: &proxyconf.Check{Protocol: "HTTP", Path: "/health", Interval: time.Second, Timeout: 10 * time.Second, Healthy: 2, Unhealthy: 1, Codes: "200"},
		}},
	}
}

func (w *world) balance(p proxyconf.Part, targets ...*target) {
	w.t.Helper()
	w.tell(server.News{Parts: []server.NodePart{{Node: node, Part: p}}, Endpoints: []proxyconf.Endpoints{endpointsOf(p, targets...)}})
}

func endpointsOf(p proxyconf.Part, targets ...*target) proxyconf.Endpoints {
	e := proxyconf.Endpoints{Name: p.Clusters[0].Endpoints}
	for _, t := range targets {
		e.Hosts = append(e.Hosts, proxyconf.Host{Addr: t.addr, Draining: t.draining})
	}
	return e
}

// target is a server in the network of an interface that says its name.
type target struct {
	name     string
	addr     netip.AddrPort
	draining bool
	server   *http.Server
	hold     chan struct{} // /hold waits for it
	holds    chan struct{} // has one for each that waits

	mu   sync.Mutex
	sick bool
}

func (w *world) target(id, name string) *target {
	w.t.Helper()
	t := &target{name: name, hold: make(chan struct{}), holds: make(chan struct{}, 1)}
	var l net.Listener
	err := netspace.InsideAt(w.Path(id), func() (err error) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	t.addr = netip.MustParseAddrPort(l.Addr().String())
	t.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		sick := t.sick
		t.mu.Unlock()
		switch {
		case r.URL.Path == "/health" && sick:
			rw.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/hold":
			rw.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(rw).Flush()
			t.holds <- struct{}{}
			<-t.hold
		}
		_, _ = io.WriteString(rw, t.name)
	})}
	go func() { _ = t.server.Serve(l) }()
	w.t.Cleanup(func() { _ = t.server.Close() })
	return t
}

func (t *target) ill(sick bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sick = sick
}

// ask asks the listener of an interface; a status beside 200 is an error.
func (w *world) ask(id, path string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	conn, err := netspace.Dial(ctx, w.Path(id), netip.MustParseAddrPort("127.0.0.1:80"))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, body)
	}
	return string(body), err
}

// eventually waits for what has to become so.
func (w *world) eventually(what string, so func() bool) {
	w.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("not so after a minute: %s", what)
		}
	}
}

// answers waits until requests are answered.
func (w *world) answers(id string) {
	w.t.Helper()
	var last error
	defer func() {
		if w.t.Failed() {
			w.t.Logf("last error: %v", last)
		}
	}()
	w.eventually("requests are answered", func() bool { _, last = w.ask(id, "/"); return last == nil })
}

func (w *world) stateOf(p proxyconf.Part, t *target) proxyconf.Health {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.health[probe.Key{Part: p.Name, Endpoints: p.Clusters[0].Endpoints, Addr: t.addr}]
}

func (w *world) partOf(p proxyconf.Part) proxyconf.PartState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.parts[p.Name]
}
