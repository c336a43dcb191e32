package lowering

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/control/targets"
	"github.com/berth-ecs/berth/mesh/feed"
	"github.com/berth-ecs/berth/mesh/xds/server"
	"github.com/berth-ecs/berth/proxyconf"
	"github.com/berth-ecs/berth/session/link"
	"github.com/berth-ecs/berth/store"
)

// Config is what New needs.
type Config struct {
	Store     store.Store           // required
	Machines  Machines              // required
	Secrets   feed.Secrets          // required
	Instances targets.Instances     // required
	Log       *slog.Logger          // required
	Metrics   prometheus.Registerer // optional
}

// Proxies tell nodes' proxies what to do, and write down what they say.
type Proxies struct {
	feed   *feed.Feed
	server *server.Server
}

var _ link.Proxies = (*Proxies)(nil)

// New makes a server's.
func New(c Config) (*Proxies, error) {
	ear, err := targets.NewEar(targets.EarConfig{Store: c.Store, Instances: c.Instances, Log: c.Log, Metrics: c.Metrics})
	if err != nil {
		return nil, err
	}
	book := server.NewBook()
	return &Proxies{
		feed:   feed.New(feed.Config{Store: c.Store, Wing: &Parts{Machines: c.Machines}, Secrets: c.Secrets, Book: book, Log: c.Log}),
		server: server.New(server.Config{Source: book, Sink: heard{ear, c.Log}, Log: c.Log, Metrics: c.Metrics}),
	}, nil
}

// Serve implements link.Proxies. A server that has just begun knows of no load balancer: a node that heard that would take all of its down. So it waits.
func (p *Proxies) Serve(ctx context.Context, conn net.Conn, h ecs.Home, node string) error {
	select {
	case <-p.feed.Loaded():
	case <-ctx.Done():
		_ = conn.Close()
		return context.Cause(ctx)
	}
	return p.server.Serve(ctx, conn, server.Node{Account: h.Account, Region: h.Region, Name: node})
}

// Parts are those of a server that run until its end.
func (p *Proxies) Parts() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{"proxies": p.feed.Run, "proxy server": p.server.Run}
}

// heard writes down what nodes say of their proxies.
type heard struct {
	ear *targets.Ear
	log *slog.Logger
}

// again is how long a report waits that could not be written.
const again = time.Second

// Report implements server.Sink. A report is written before the node's next one: what it said would be missing. When the connection ends it is not written
// any more: the node says everything in its next one.
func (h heard) Report(ctx context.Context, n server.Node, r proxyconf.Report) {
	for {
		err := h.ear.Heard(ctx, elb.Home{Account: n.Account, Region: n.Region}, n.Name, r)
		if err == nil || ctx.Err() != nil {
			return
		}
		h.log.Warn("what a node says of its proxy is not written yet", "node", n.Name, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// Left implements server.Sink: what a node said last holds until its tasks are known to be gone.
func (heard) Left(server.Node) {}
