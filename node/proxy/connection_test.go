package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berth-ecs/berth/mesh/xds/server"
	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/proxy/probe"
	"github.com/berth-ecs/berth/proxyconf"
)

// inside runs f in the network of an interface, or here for "".
func (w *world) inside(id string, f func() error) error {
	if id == "" {
		return f()
	}
	return netspace.InsideAt(w.Path(id), f)
}

// echo is a target that says its name, and where it is told that a connection is from, and then says again what it hears.
type echo struct {
	name string
	addr netip.AddrPort
	l    net.Listener

	mu    sync.Mutex
	conns []net.Conn
}

func (w *world) echo(id, name string) *echo {
	w.t.Helper()
	e := &echo{name: name}
	err := w.inside(id, func() (err error) {
		e.l, err = net.Listen("tcp4", "127.0.0.1:0")
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	e.addr = netip.MustParseAddrPort(e.l.Addr().String())
	go func() {
		for {
			c, err := e.l.Accept()
			if err != nil {
				return
			}
			e.mu.Lock()
			e.conns = append(e.conns, c)
			e.mu.Unlock()
			go e.talk(c)
		}
	}()
	w.t.Cleanup(e.close)
	return e
}

func (e *echo) close() {
	_ = e.l.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.conns {
		_ = c.Close()
	}
}

var signature = []byte("\r\n\r\n\x00\r\nQUIT\n")

// talk begins to speak when it has heard something: the PROXY protocol's header comes before that.
func (e *echo) talk(c net.Conn) {
	defer c.Close()
	in, from := bufio.NewReader(c), "-"
	if head, err := in.Peek(len(signature)); err == nil && bytes.Equal(head, signature) {
		head := make([]byte, 16)
		_, _ = io.ReadFull(in, head)
		body := make([]byte, binary.BigEndian.Uint16(head[14:]))
		if _, err := io.ReadFull(in, body); err != nil || head[12] != 0x21 || head[13] != 0x11 || len(body) < 12 {
			return
		}
		from = fmt.Sprintf("%s>%s:%d", netip.AddrFrom4([4]byte(body[:4])), netip.AddrFrom4([4]byte(body[4:8])), binary.BigEndian.Uint16(body[10:]))
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(c, "%s %s %s", e.name, from, line); err != nil {
			return
		}
	}
}

// call is a connection of a client.
type call struct {
	net.Conn
	in *bufio.Reader
}

func (w *world) call(id, from string, port uint16) (*call, error) {
	var c net.Conn
	err := w.inside(id, func() (err error) {
		d := net.Dialer{Timeout: 30 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err = d.DialContext(context.Background(), "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		return err
	})
	if err != nil {
		return nil, err
	}
	w.t.Cleanup(func() { _ = c.Close() })
	return &call{c, bufio.NewReader(c)}, nil
}

// say says something and answers who answered, and from where it is told that the client is.
func (c *call) say() (who, from string, err error) {
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, "hello there\n"); err != nil {
		return "", "", err
	}
	line, err := c.in.ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) != 4 || words[3] != "there" {
		return "", "", fmt.Errorf("%q: %w", line, err)
	}
	return words[0], words[1], nil
}

// hears waits for the end of the connection.
func (c *call) ended() error {
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, err := c.in.ReadByte()
	if n := net.Error(nil); err == nil || errors.As(err, &n) && n.Timeout() {
		return fmt.Errorf("it goes on: %w", err)
	}
	return nil
}

// one is a connection from an address that is begun and used.
func (w *world) one(id, from string, port uint16) (c *call, who, told string) {
	w.t.Helper()
	w.eventually("a connection is answered", func() (ok bool) {
		var err error
		if c, err = w.call(id, from, port); err != nil {
			return false
		}
		who, told, err = c.say()
		if err != nil {
			_ = c.Close()
		}
		return err == nil
	})
	return c, who, told
}

const home = "127.0.0.1"

func group(space, name string) proxyconf.Cluster {
	return proxyconf.Cluster{Name: name, Endpoints: "targets-" + name, Space: space, Protocol: "tcp"}
}

func port(n uint16, to ...proxyconf.Weighted) proxyconf.Listener {
	return proxyconf.Listener{Name: strconv.FormatUint(uint64(n), 10), Port: n, TCP: &proxyconf.TCP{Forward: to, IdleTimeout: time.Hour}}
}

func to(name string, weight uint32) proxyconf.Weighted {
	return proxyconf.Weighted{Cluster: name, Weight: weight}
}

func targets(name string, all ...*echo) proxyconf.Endpoints {
	e := proxyconf.Endpoints{Name: "targets-" + name}
	for _, t := range all {
		e.Hosts = append(e.Hosts, proxyconf.Host{Addr: t.addr})
	}
	return e
}

func (w *world) told(p proxyconf.Part, all ...proxyconf.Endpoints) {
	w.t.Helper()
	w.tell(server.News{Parts: []server.NodePart{{Node: node, Part: p}}, Endpoints: all})
}

// A network load balancer leads connections to targets: by weight, by who comes, with the client's address told, and until nothing was said for too long.
func TestConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	w.space("eni-n")
	w.run()
	a, b, c := w.echo("eni-n", "a"), w.echo("eni-n", "b"), w.echo("eni-n", "c")
	sticky, proxied := group("eni-n", "sticky"), group("eni-n", "proxied")
	sticky.StickySource, proxied.ProxyV2 = true, true
	short := port(4, to("one", 1))
	short.TCP.IdleTimeout = 200 * time.Millisecond
	// An application load balancer that a network one leads to, as a target of its group.
	behind := web("n")
	page := w.target("eni-n", "page")
	w.balance(behind, page)
	p := proxyconf.Part{
		Name: "elb/net", Space: "eni-n", Clusters: []proxyconf.Cluster{group("eni-n", "one"), group("eni-n", "two"), sticky, proxied, group("eni-n", "alb")},
		Listeners: []proxyconf.Listener{port(1, to("one", 3), to("two", 1)), port(2, to("sticky", 1)), port(3, to("proxied", 1)), short, port(5, to("alb", 1))},
	}
	alb := proxyconf.Endpoints{Name: "targets-alb", Hosts: []proxyconf.Host{{Addr: netip.MustParseAddrPort("127.0.0.1:80")}}}
	w.told(p, targets("one", a), targets("two", b), targets("sticky", a, b, c), targets("proxied", c), alb)

	seen := map[string]int{}
	for range 80 {
		c, who, from := w.one("eni-n", home, 1)
		if seen[who]++; from != "-" {
			t.Errorf("%s was told %s", who, from)
		}
		_ = c.Close()
	}
	if seen["a"] <= seen["b"] || seen["b"] == 0 { // 60 and 20, give and take
		t.Errorf("3 to 1 became %v", seen)
	}
	chosen := map[string]bool{}
	for i := range 20 {
		from := fmt.Sprintf("127.0.1.%d", i+1)
		_, first, _ := w.one("eni-n", from, 2)
		chosen[first] = true
		for range 3 {
			if _, who, _ := w.one("eni-n", from, 2); who != first {
				t.Errorf("%s was led to %s and to %s", from, first, who)
			}
		}
	}
	if len(chosen) < 2 {
		t.Errorf("twenty clients were led to %v", chosen)
	}
	if _, who, from := w.one("eni-n", "127.0.1.7", 3); who != "c" || from != "127.0.1.7>127.0.0.1:3" {
		t.Errorf("%s was told %s", who, from)
	}
	quiet, _, _ := w.one("eni-n", home, 4)
	if err := quiet.ended(); err != nil {
		t.Error(err)
	}
	w.answers("eni-n")
	through := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		c, err := w.call("eni-n", home, 5)
		if err != nil {
			return nil, err
		}
		return c.Conn, nil
	}}}
	w.eventually("the load balancer behind answers", func() bool {
		r, err := through.Get("http://x/")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		text, _ := io.ReadAll(r.Body)
		return string(text) == "page"
	})
}

// Whatever is changed of a load balancer, the connections that it has go on, and new ones follow the change.
func TestConnectionsOutliveChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	w.space("eni-n")
	w.space("eni-m")
	w.run()
	a, b := w.echo("eni-n", "a"), w.echo("eni-n", "b")
	p := proxyconf.Part{
		Name: "elb/net", Space: "eni-n", Clusters: []proxyconf.Cluster{group("eni-n", "one")}, Listeners: []proxyconf.Listener{port(1, to("one", 1))},
	}
	w.told(p, targets("one", a))
	var flows []*call
	for range 20 {
		c, _, _ := w.one("eni-n", home, 1)
		flows = append(flows, c)
	}
	good := func(after string) {
		t.Helper()
		for _, c := range flows {
			if who, _, err := c.say(); err != nil || who != "a" {
				t.Fatalf("after %s: %q, %v", after, who, err)
			}
		}
	}
	follows := func(what string, so func(who, from string) bool) {
		t.Helper()
		w.eventually(what, func() bool {
			c, who, from := w.one("eni-n", home, 1)
			defer c.Close()
			return so(who, from)
		})
		good(what)
	}
	p.Clusters = append(p.Clusters, group("eni-n", "two"))
	p.Listeners = []proxyconf.Listener{port(1, to("one", 1), to("two", 1))}
	w.told(p, targets("two", b))
	follows("another group", func(who, _ string) bool { return who == "b" })
	p.Listeners = []proxyconf.Listener{port(1, to("two", 1))}
	w.told(p)
	for range 5 { // as often as it takes to be sure that nothing leads to the first any more
		follows("the other group alone", func(who, _ string) bool { return who == "b" })
	}
	p.Clusters = []proxyconf.Cluster{group("eni-n", "two")}
	p.Clusters[0].ProxyV2, p.Clusters[0].StickySource = true, true
	w.told(p)
	follows("the first group is gone, and attributes of the other", func(_, from string) bool { return from == "127.0.0.1>127.0.0.1:1" })
	other := port(2, to("two", 1))
	other.TCP.IdleTimeout = time.Minute
	p.Listeners = append(p.Listeners, other)
	p.Listeners[0].TCP.IdleTimeout = 2 * time.Hour
	w.told(p, targets("two", b, a))
	_, _, _ = w.one("eni-n", home, 2)
	good("another listener, target and attribute")
	p.Listeners = p.Listeners[:1]
	w.told(p)
	w.eventually("the other listener is gone", func() bool { _, err := w.call("eni-n", home, 2); return err != nil })
	good("the other listener is gone")
	more := proxyconf.Part{Name: "elb/more", Space: "eni-m", Clusters: []proxyconf.Cluster{group("eni-m", "more")}, Listeners: []proxyconf.Listener{port(1, to("more", 1))}}
	w.told(more, targets("more", w.echo("eni-m", "m")))
	_, _, _ = w.one("eni-m", home, 1)
	w.tell(server.News{PartsGone: []server.PartKey{{Node: node, Part: more.Name}}})
	w.eventually("the other load balancer is gone", func() bool { _, err := w.call("eni-m", home, 1); return err != nil })
	good("the other load balancer is gone")
	// What Envoy calls draining it ends an hour later.
	stats := w.stats("listener_manager")
	for _, name := range []string{"total_filter_chains_draining", "listener_modified", "listener_in_place_updated"} {
		if !strings.Contains(stats, "listener_manager."+name+": 0\n") {
			t.Errorf("listeners were changed, and will end connections:\n%s", stats)
		}
	}
}

// stats are what Envoy counts of something.
func (w *world) stats(of string) string {
	w.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(w.c.RunDir, "proxy", "admin.sock"))
	}}}
	r, err := client.Get("http://envoy/stats?filter=" + of)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// A target that drains keeps its connections, also when its group has changed since they began, and is drained when they have ended. When it
// is gone they end, if that is asked for.
func TestConnectionsToATargetThatGoes(t *testing.T) {
	t.Parallel()
	for _, space := range []string{"eni-n", ""} { // "": the machine's own network, where instances are
		t.Run("from "+space, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.serve()
			w.space("eni-n")
			w.run()
			a, b := w.echo(space, "a"), w.echo(space, "b")
			p := proxyconf.Part{
				Name: "elb/net", Space: "eni-n", Clusters: []proxyconf.Cluster{group(space, "ends"), group(space, "stays")},
				Listeners: []proxyconf.Listener{port(1, to("ends", 1)), port(2, to("stays", 1))},
			}
			p.Clusters[0].CloseOnEnd = true
			w.told(p, targets("ends", a), targets("stays", b))
			ends, _, _ := w.one("eni-n", home, 1)
			stays, _, _ := w.one("eni-n", home, 2)
			stranger, err := net.Dial("tcp4", a.addr.String())
			if space == "" && err != nil {
				t.Fatal(err)
			}
			p.Clusters[1].StickySource = true
			w.told(p) // another cluster of that name, as Envoy sees it
			w.eventually("the change is known", func() bool { return strings.Contains(w.stats("cluster_manager.cluster_modified"), ": 1\n") })
			draining := func(name string, e *echo) proxyconf.Endpoints {
				out := targets(name, e)
				out.Hosts[0].Draining = true
				return out
			}
			w.tell(server.News{Endpoints: []proxyconf.Endpoints{draining("ends", a), draining("stays", b)}})
			w.eventually("nobody new is led there", func() bool {
				c, err := w.call("eni-n", home, 1)
				if err == nil {
					defer c.Close()
					_, _, err = c.say()
				}
				return err != nil
			})
			drained := func(name string, e *echo) bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				return w.health[probe.Key{Part: p.Name, Endpoints: "targets-" + name, Addr: e.addr}].State == "drained"
			}
			for range 15 { // as often as is looked, and more
				if drained("ends", a) || drained("stays", b) {
					t.Fatal("it is drained while it has a connection")
				}
				for _, c := range []*call{ends, stays} {
					if _, _, err := c.say(); err != nil {
						t.Fatal(err)
					}
				}
				<-time.After(100 * time.Millisecond)
			}
			w.tell(server.News{Endpoints: []proxyconf.Endpoints{targets("ends")}})
			if err := ends.ended(); err != nil {
				t.Error(err)
			}
			if _, _, err := stays.say(); err != nil {
				t.Errorf("a connection to another target: %v", err)
			}
			if space == "" {
				c := &call{stranger, bufio.NewReader(stranger)}
				if _, _, err := c.say(); err != nil {
					t.Errorf("a connection of somebody else: %v", err)
				}
				_ = stranger.Close()
			}
			_ = stays.Close()
			w.eventually("it is drained", func() bool { return drained("stays", b) })
		})
	}
}

// Connections to a target that becomes unhealthy end, unless that is turned off.
func TestConnectionsToATargetThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	w.space("eni-n")
	w.run()
	sick, well := w.target("eni-n", "sick"), w.echo("eni-n", "well")
	a := w.echo("eni-n", "a")
	checked := func(name string) proxyconf.Cluster {
		c := group("eni-n", name)
		c.Check = &proxyconf.Check{Protocol: "HTTP", Path: "/health", Port: sick.addr.Port(), Interval: time.Second, Timeout: 10 * time.Second, Healthy: 1, Unhealthy: 1, Codes: "200"}
		return c
	}
	p := proxyconf.Part{
		Name: "elb/net", Space: "eni-n", Clusters: []proxyconf.Cluster{checked("ends"), checked("stays")},
		Listeners: []proxyconf.Listener{port(1, to("ends", 1)), port(2, to("stays", 1))},
	}
	p.Clusters[0].CloseOnFail = true
	w.told(p, targets("ends", a), targets("stays", well))
	state := func(name string, e *echo) string {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.health[probe.Key{Part: p.Name, Endpoints: "targets-" + name, Addr: e.addr}].State
	}
	w.eventually("both are healthy", func() bool { return state("ends", a) == "healthy" && state("stays", well) == "healthy" })
	ends, _, _ := w.one("eni-n", home, 1)
	stays, _, _ := w.one("eni-n", home, 2)
	sick.ill(true)
	if err := ends.ended(); err != nil {
		t.Error(err)
	}
	w.eventually("both are unhealthy", func() bool { return state("ends", a) == "unhealthy" && state("stays", well) == "unhealthy" })
	if _, _, err := stays.say(); err != nil {
		t.Error(err)
	}
	if _, _, err := func() (string, string, error) { c, _, _ := w.one("eni-n", home, 1); return c.say() }(); err != nil {
		t.Errorf("none is healthy, and so all are asked: %v", err)
	}
}
