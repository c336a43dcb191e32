package names

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/berth-ecs/berth/node/dns"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
)

// Config is what Serve needs.
type Config struct {
	Store  store.Store    // required
	Listen netip.AddrPort // required: of UDP and TCP
	Log    *slog.Logger   // required
}

const tryAgain = 5 * time.Second

// Serve answers until ctx ends (nil) or the store closes (its error).
func Serve(ctx context.Context, c Config) error {
	server := dns.New(dns.Config{Listen: listen, Everything: c.Listen, Upstream: func() []netip.AddrPort { return nil }, Log: c.Log})
	defer func() { _ = server.Close() }()
	ctx, stop := context.WithCancel(ctx)
	opening := make(chan struct{})
	go func() {
		defer close(opening)
		open(ctx, c, server)
	}()
	defer func() { stop(); <-opening }()
	return follow(ctx, c.Store, server)
}

// follow tells a server the zones as they change.
func follow(ctx context.Context, s store.Store, server *dns.Server) error {
	z := &Zones{}
	watch := s.Watch(ctx, z.Tables()...)
	defer watch.Close()
	for version := int64(0); ; {
		b, err := watch.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("names: %w", err)
		}
		d := nodeconf.Delta{}
		if b.Resync || version == 0 {
			d.Set = z.Load(b.Snapshot)
		} else {
			d = z.Follow(b.Changes)
			d.From = version
		}
		version = max(b.Revision, 1) // from 0 is the whole
		d.To = version
		server.Tell(d)
	}
}

// open opens the sockets, sooner or later.
func open(ctx context.Context, c Config, s *dns.Server) {
	for told := false; ; told = true {
		err := s.Begin(ctx)
		if err == nil {
			c.Log.Info("answering names", "listen", c.Listen)
			return
		}
		if !told {
			c.Log.Warn("names are not answered to who is in no VPC", "listen", c.Listen, "error", err, "again", tryAgain)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(tryAgain):
		}
	}
}

func listen(ctx context.Context, _, network string, at netip.AddrPort) (io.Closer, error) {
	var lc net.ListenConfig
	if network == "udp" {
		c, err := lc.ListenPacket(ctx, network, at.String())
		if err != nil {
			return nil, err // c would be a closer that is not nil
		}
		return c, nil
	}
	l, err := lc.Listen(ctx, network, at.String())
	if err != nil {
		return nil, err
	}
	return l, nil
}
