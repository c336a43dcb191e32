package link_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/session/link"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// echo is what proxies are told in these tests: what they say, and by whom it was said first.
type echo struct{}

func (echo) Serve(ctx context.Context, conn net.Conn, h ecs.Home, node string) error {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err := io.WriteString(conn, h.Account+"/"+h.Region+"/"+node+"\n"); err != nil {
		return err
	}
	_, err := io.Copy(conn, conn)
	return err
}

// proxied opens a node's connection for its proxy.
func (w *world) proxied(name string) (net.Conn, *http.Response, error) {
	url := "ws" + strings.TrimPrefix(w.url, "http") + "/proxy?node=" + name
	c, resp, err := websocket.Dial(w.ctx, url, nil)
	if err != nil {
		return nil, resp, err
	}
	w.t.Cleanup(func() { _ = c.CloseNow() })
	return websocket.NetConn(w.ctx, c, websocket.MessageBinary), resp, nil
}

func says(t *testing.T, c net.Conn, what string) {
	t.Helper()
	b := make([]byte, len(what))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != what {
		t.Fatalf("heard %q (%v), not %q", b, err, what)
	}
}

// A proxy's connection is of the node that was admitted; the node's next one, and its removal, end it.
func TestProxiesAreThoseOfAdmittedNodes(t *testing.T) {
	var gone atomic.Bool
	w := newWorld(t, func(c *link.Config) {
		c.Proxies = echo{}
		c.Removed = func(string) bool { return gone.Load() }
		c.Verify = func(*http.Request) (sigv4.Identity, error) {
			p := joining.Principal(joining.Home{Account: owner, Region: region}, node)
			return sigv4.Identity{Key: sigv4.Key{Account: owner, Principal: p}, Scope: sigv4.Scope{Region: region}}, nil
		}
	})
	if _, resp, err := w.proxied("another"); err == nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("with another node's keys: %v", err)
	}
	first, _, err := w.proxied(node)
	if err != nil {
		t.Fatal(err)
	}
	says(t, first, owner+"/"+region+"/"+node+"\n")
	if _, err := io.WriteString(first, "hello"); err != nil {
		t.Fatal(err)
	}
	says(t, first, "hello")
	second, _, err := w.proxied(node)
	if err != nil {
		t.Fatal(err)
	}
	says(t, second, owner+"/"+region+"/"+node+"\n")
	_, _ = io.ReadAll(first) // it ends
	gone.Store(true)
	w.link.Expel()
	_, _ = io.ReadAll(second)
	if third, _, err := w.proxied(node); err == nil {
		_, _ = io.ReadAll(third)
	}
	if w.ctx.Err() != nil {
		t.Error("a connection did not end")
	}
}
