package conf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/node/agent/socket"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/session"
)

// server is the servers' end, as far as a test says. Its frames are not bounded by anything.
type server struct {
	urls  chan string
	conns chan *conn
}

type conn struct {
	toNode, toServer chan []byte
	end              chan struct{}
}

func (s *server) Dial(_ context.Context, url string) (socket.Conn, error) {
	c := &conn{make(chan []byte, 100), make(chan []byte, 100), make(chan struct{})}
	s.urls <- url
	s.conns <- c
	return c, nil
}

func (c *conn) Read(ctx context.Context) ([]byte, error) {
	select {
	case b := <-c.toNode:
		return b, nil
	case <-c.end:
		return nil, &socket.Closed{Code: 1006}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *conn) Write(_ context.Context, b []byte) error { c.toServer <- b; return nil }
func (c *conn) Close(int, string)                       {}

func (c *conn) push(t *testing.T, more bool, d nodeconf.Delta) {
	t.Helper()
	b, err := session.Encode(&session.NodeConfigurationMessage{Delta: d, More: more})
	if err != nil {
		t.Fatal(err)
	}
	c.toNode <- b
}

// acks are what the node said since the last call.
func (c *conn) acks(t *testing.T) (out []session.NodeConfigurationAck) {
	t.Helper()
	for {
		select {
		case b := <-c.toServer:
			m, err := session.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, *m.(*session.NodeConfigurationAck)) //nolint:forcetypeassert // it panics, which fails the test
		default:
			return out
		}
	}
}

// node is a node whose one part notes what it is told.
type node struct {
	*Client
	server *server
	is     nodeconf.Config
	told   []string // "version from version: interfaces"
	fail   func() error
	slow   time.Duration
	stop   func()
}

func start(t *testing.T, path string) *node {
	t.Helper()
	n := &node{server: &server{make(chan string, 10), make(chan *conn, 10)}}
	c, err := Open(Config{
		Path: path, Log: slog.New(slog.DiscardHandler),
		Parts: []Part{func(_ context.Context, d nodeconf.Delta) error {
			time.Sleep(n.slow)
			if err := n.is.Apply(d); err != nil {
				return err
			}
			if n.fail != nil {
				if err := n.fail(); err != nil {
					return err
				}
			}
			n.told = append(n.told, fmt.Sprintf("%d from %d: %s", n.is.Version, d.From, names(&n.is)))
			return nil
		}},
		State: func() (int, []string) { return 1, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Client = c
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{}, 2)
	servers := Servers{Dialer: n.server, Node: "n1", URL: func(context.Context) (string, error) { return "http://s/node/ws", nil }}
	go func() { _ = c.Follow(ctx, servers); done <- struct{}{} }()
	go func() { _ = c.Become(ctx); done <- struct{}{} }()
	n.stop = func() { cancel(); <-done; <-done }
	return n
}

func names(c *nodeconf.Config) string {
	var out []string
	for id := range c.Interfaces {
		out = append(out, id)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func change(from, to int64, ids ...string) nodeconf.Delta {
	d := nodeconf.Delta{From: from, To: to, Set: nodeconf.Resources{Interfaces: map[string]nodeconf.Interface{}}}
	for _, id := range ids {
		d.Set.Interfaces[id] = nodeconf.Interface{ID: id}
	}
	return d
}

func want(t *testing.T, n *node, told ...string) {
	t.Helper()
	synctest.Wait()
	if !slices.Equal(n.told, told) {
		t.Errorf("told %q, want %q", n.told, told)
	}
	n.told = nil
}

func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	synctest.Test(t, func(t *testing.T) {
		n := start(t, path)
		c := <-n.server.conns
		if u := <-n.server.urls; u != "http://s/node/ws?node=n1&version=0" {
			t.Errorf("dialled %s", u)
		}
		c.push(t, true, change(0, 5, "a"))
		c.push(t, false, change(0, 5, "b"))
		want(t, n, "5 from 0: a b")
		gone := change(5, 7, "c")
		gone.Gone = []nodeconf.Key{{Kind: "Interfaces", ID: "a"}}
		c.push(t, false, gone)
		want(t, n, "7 from 5: b c")
		if acks := c.acks(t); len(acks) != 3 || acks[0].Version != 0 || acks[2].Version != 7 || acks[2].Applied != 7 || acks[2].Up != 1 {
			t.Errorf("%+v", acks)
		}
		close(c.end)
		synctest.Wait()
		if u := <-n.server.urls; !strings.HasSuffix(u, "version=7") {
			t.Errorf("dialled %s after the connection broke", u)
		}
		n.stop()

		again := start(t, path) // without a word of the servers
		want(t, again, "7 from 0: b c")
		if again.Version() != 7 {
			t.Errorf("version %d", again.Version())
		}
		c = <-again.server.conns
		c.push(t, false, change(7, 8, "d"))
		want(t, again, "8 from 7: b c d")
		again.stop()
	})
}

// Half a change of a connection that broke is not mixed with the next.
func TestHalfAChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	synctest.Test(t, func(t *testing.T) {
		n := start(t, path)
		c := <-n.server.conns
		c.push(t, true, change(0, 5, "a"))
		synctest.Wait()
		close(c.end)
		c = <-n.server.conns
		c.push(t, false, change(0, 6, "b"))
		want(t, n, "6 from 0: b")
		n.stop()
	})
}

func TestAChangeThatDoesNotFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	synctest.Test(t, func(t *testing.T) {
		n := start(t, path)
		c := <-n.server.conns
		c.push(t, false, change(0, 5, "a"))
		want(t, n, "5 from 0: a")
		c.acks(t)
		c.push(t, false, change(6, 7, "b"))
		c.push(t, false, change(7, 8, "c"))
		want(t, n)
		if acks := c.acks(t); len(acks) != 1 || !acks[0].Resync || acks[0].Version != 5 {
			t.Errorf("%+v", acks)
		}
		c.push(t, false, change(0, 9, "d"))
		want(t, n, "9 from 0: d")
		if acks := c.acks(t); len(acks) != 1 || acks[0].Resync {
			t.Errorf("%+v", acks)
		}
		n.stop()
	})
}

func TestChangesThatComeMeanwhileAreOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	synctest.Test(t, func(t *testing.T) {
		n := start(t, path)
		n.slow = time.Second
		c := <-n.server.conns
		c.push(t, false, change(0, 1, "a"))
		synctest.Wait() // it is being applied
		c.push(t, false, change(1, 2, "b"))
		c.push(t, false, change(2, 3, "c"))
		time.Sleep(3 * time.Second)
		want(t, n, "1 from 0: a", "3 from 1: a b c")
		n.stop()
	})
}

func TestWhatFailsIsTriedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	synctest.Test(t, func(t *testing.T) {
		n := start(t, path)
		var tries atomic.Int32
		n.fail = func() error {
			if tries.Add(1) < 6 {
				return errors.New(strings.Repeat("no such device; ", 1000))
			}
			return nil
		}
		c := <-n.server.conns
		c.push(t, false, change(0, 1, "a"))
		time.Sleep(time.Second)
		synctest.Wait()
		before := tries.Load()
		if before < 2 || before > 4 {
			t.Errorf("%d tries in a second", before)
		}
		acks := c.acks(t)
		if last := acks[len(acks)-1]; last.Version != 1 || last.Applied != 0 || len(last.Error) != maxError {
			t.Errorf("%+v", last)
		}
		c.push(t, false, change(1, 2, "b")) // news need not wait
		synctest.Wait()
		if tries.Load() != before+1 {
			t.Errorf("%d tries, %d before the news", tries.Load(), before)
		}
		time.Sleep(time.Minute)
		want(t, n, "2 from 2: a b")
		acks = c.acks(t)
		if last := acks[len(acks)-1]; last.Applied != 2 || last.Error != "" {
			t.Errorf("%+v", last)
		}
		n.stop()
	})
}

// A disk that takes nothing leaves no older configuration behind for the next process.
func TestADiskThatTakesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	synctest.Test(t, func(t *testing.T) {
		n := start(t, path)
		c := <-n.server.conns
		c.push(t, false, change(0, 1, "a"))
		want(t, n, "1 from 0: a")
		if err := os.Mkdir(path+".new", 0o700); err != nil {
			t.Fatal(err)
		}
		c.push(t, false, change(0, 2, "b")) // the whole is a new file
		want(t, n, "2 from 0: b")           // the node is it all the same
		n.stop()
		again := start(t, path)
		want(t, again)
		again.stop()
	})
}

// A part that lost the thread is told everything, and so is one that was told of nothing yet.
func TestAPartThatLostTheThread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	synctest.Test(t, func(t *testing.T) {
		n := start(t, path)
		c := <-n.server.conns
		c.push(t, false, change(0, 1, "a"))
		want(t, n, "1 from 0: a")
		n.is = nodeconf.Config{Version: 99}
		c.push(t, false, change(1, 2, "b"))
		time.Sleep(time.Second)
		want(t, n, "2 from 0: a b")
		c.push(t, false, change(2, 3, "c"))
		want(t, n, "3 from 2: a b c")
		n.stop()
	})
}
