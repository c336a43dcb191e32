package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/ecs"
	ecstables "github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/session/link"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/feed"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire/sigv4"
)

var home = vpc.Home{Account: "000000000000", Region: "us-east-1"}

// world is a server's feed and link over a store in memory, and the nodes.
type world struct {
	options
	store  *mem.Store
	feed   *feed.Feed
	url    string
	nodes  []*node
	cancel context.CancelFunc
	parts  *errgroup.Group

	child  *exec.Cmd // the nodes' process
	hangUp io.Closer
	ended  chan struct{}
	theirs time.Duration // processor time that the nodes took
}

func newWorld(ctx context.Context, o options) (*world, error) {
	w := &world{options: o, store: mem.Open(slices.Concat(ecstables.Schema(), tables.Schema()), mem.Options{})}
	if err := w.fill(ctx); err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	w.feed = feed.New(feed.Config{Store: w.store, Nodes: machines{o.nodes}, Log: log})
	l := link.New(link.Config{Store: w.store, Feed: subscribing{w.feed}, Log: log, Heartbeat: time.Hour,
		Verify: func(*http.Request) (sigv4.Identity, error) {
			return sigv4.Identity{Key: sigv4.Key{Account: home.Account}, Scope: sigv4.Scope{Region: home.Region}}, nil
		}})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w.url = "http://" + listener.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(l.Serve), ReadHeaderTimeout: time.Minute}
	ctx, w.cancel = context.WithCancel(ctx)
	w.parts, ctx = errgroup.WithContext(ctx)
	w.parts.Go(func() error { return w.feed.Run(ctx) })
	w.parts.Go(func() error { return l.Run(ctx) })
	w.parts.Go(func() error { return server.Serve(listener) })
	w.parts.Go(func() error { <-ctx.Done(); return server.Close() })
	return w, nil
}

func (w *world) close() {
	_ = w.part()
	w.cancel()
	_ = w.parts.Wait() // the server's end is an error
	_ = w.store.Close()
}

// subscribing is the feed as the link needs it.
type subscribing struct{ *feed.Feed }

// Subscribe implements link.Feed.
func (s subscribing) Subscribe(h ecs.Home, node string, have int64) link.Subscription {
	return s.Feed.Subscribe(compile.NodeKey(vpc.Home{Account: h.Account, Region: h.Region}, node), have)
}

// machines says where nodes are reached; it never changes.
type machines struct{ n int }

func (machines) Tables() []string                       { return nil }
func (machines) Of(store.Change) (h vpc.Home, n string) { return h, n }

func (machines) Is(store.Tx, vpc.Home, string) bool { return false } // nobody asks for names here

func (m machines) All(store.Tx) iter.Seq2[vpc.Home, string] {
	return func(yield func(vpc.Home, string) bool) {
		for n := range m.n {
			if !yield(home, nodeName(n)) {
				return
			}
		}
	}
}

func (machines) Address(_ store.Tx, _ vpc.Home, node string) netip.Addr {
	var n int
	if _, err := fmt.Sscanf(node, "node-%d", &n); err != nil {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{192, 168, byte(n >> 8), byte(n)})
}

func nodeName(n int) string { return fmt.Sprintf("node-%d", n) }

// share is how many nodes a VPC has.
func (w *world) share() int { return w.options.nodes / w.vpcs }

// fill writes every record that is there before.
func (w *world) fill(ctx context.Context) error {
	var writes []func(store.Tx)
	for v := range w.vpcs {
		writes = append(writes, network(v))
		for n := range w.share() * w.tasks {
			writes = append(writes, w.task(v, n))
		}
	}
	for n := range w.options.nodes {
		writes = append(writes, func(tx store.Tx) {
			ecstables.Instances.Put(tx, &ecs.Instance{Home: ecs.Home{Account: home.Account, Region: home.Region}, Cluster: "default", ID: nodeName(n), Node: nodeName(n)})
		})
	}
	for some := range slices.Chunk(writes, store.MaxWrites/8) {
		if err := w.update(ctx, some...); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) update(ctx context.Context, writes ...func(store.Tx)) error {
	return w.store.Update(ctx, func(tx store.Tx) error {
		for _, write := range writes {
			write(tx)
		}
		return nil
	})
}

// network is a VPC with a subnet and a group whose members talk to each other.
func network(v int) func(store.Tx) {
	id := fmt.Sprintf("vpc-%d", v)
	return func(tx store.Tx) {
		tables.VPCs.Put(tx, &vpc.VPC{Home: home, ID: id, Net: uint32(v + 1), Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/8")}}})
		tables.Subnets.Put(tx, &vpc.Subnet{Home: home, ID: "subnet-" + id, VPC: id, CIDR: netip.MustParsePrefix("10.0.0.0/12")})
		tables.SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: home, ID: "sg-" + id, VPC: id})
		tables.Rules.Put(tx, &vpc.Rule{Home: home, ID: "sgr-" + id, Group: "sg-" + id, Match: vpc.Match{Protocol: -1, From: -1, To: -1}, Peer: vpc.Peer{Group: "sg-" + id}})
	}
}

// task is the nth task of a VPC; tasks go round its nodes.
func (w *world) task(v, n int) func(store.Tx) {
	id := fmt.Sprintf("vpc-%d", v)
	i := &vpc.Interface{
		Home: home, ID: fmt.Sprintf("eni-%08x%09x", v, n), VPC: id, Subnet: "subnet-" + id, Node: nodeName(v*w.share() + n%w.share()), Type: "interface", SourceCheck: true,
		MAC: fmt.Sprintf("0a:00:00:%02x:%02x:%02x", n>>16&255, n>>8&255, n&255), Groups: []string{"sg-" + id},
		Private: []vpc.Private{{Addr: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})}},
		Owner:   fmt.Sprintf("arn:aws:ecs:us-east-1:000000000000:task/c%d/%032x", v, n),
	}
	return func(tx store.Tx) { tables.Interfaces.Put(tx, i) }
}

// revision is what the store has.
func (w *world) revision(ctx context.Context) (at int64, err error) {
	err = w.store.View(ctx, store.Fresh, func(tx store.Tx) error { at = tx.Revision(); return nil })
	return at, err
}

var errEnded = errors.New("a node's session ended")
