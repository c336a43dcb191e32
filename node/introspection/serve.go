package introspection

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Config says where the API answers, and whom.
type Config struct {
	Listen  string       // required; ":PORT" or "ADDRESS:PORT"
	Bridge  netip.Prefix // required; of the containers that are answered on ":PORT"
	Source  Source       // required
	Log     *slog.Logger // required
	Patient time.Duration
}

// Serve answers until ctx ends.
func Serve(ctx context.Context, c Config) error {
	if c.Patient == 0 {
		c.Patient = 5 * time.Second
	}
	l := c.listen(ctx)
	if l == nil {
		return nil
	}
	s := &http.Server{
		Handler: Handler(c.Source, c.Log), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// listen takes the port, when it is free; nil when ctx ended first.
func (c Config) listen(ctx context.Context) net.Listener {
	for warned := false; ; warned = true {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
		if err == nil {
			if host, _, _ := net.SplitHostPort(c.Listen); host == "" {
				return near{l, c.Bridge}
			}
			return l
		}
		if !warned {
			c.Log.Warn("introspection has no port, and tries again", "component", "introspection", "listen", c.Listen, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.Patient):
		}
	}
}

// near accepts callers of this machine and of its bridge only.
type near struct {
	net.Listener
	bridge netip.Prefix
}

func (n near) Accept() (net.Conn, error) {
	for {
		c, err := n.Listener.Accept()
		if err != nil || n.isNear(c) {
			return c, err
		}
		_ = c.Close() // from outside
	}
}

// isNear: loopback, an address of this machine talking to itself, or the bridge. A TCP connection cannot be had from a
// forged address.
func (n near) isNear(c net.Conn) bool {
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return false
	}
	to, err := netip.ParseAddrPort(c.LocalAddr().String())
	a := from.Addr().Unmap()
	return a.IsLoopback() || err == nil && a == to.Addr().Unmap() || n.bridge.Contains(a)
}
