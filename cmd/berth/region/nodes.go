package region

import (
	"context"
	"iter"
	"net/http"
	"net/netip"

	"github.com/berth-ecs/berth/cmd/berth/names"
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/session/link"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/feed"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// nodes is what tells berth's own nodes what to be.
type nodes struct {
	feed *feed.Feed
	link *link.Link
}

func newNodes(ctx context.Context, c Config, r rooms, verify func(*http.Request) (sigv4.Identity, error)) nodes {
	f := feed.New(feed.Config{
		Store: r.store, Settings: compileSettings(), Nodes: machines{}, Names: &names.Zones{}, Log: c.Log.With("component", "feed"),
	})
	return nodes{f, link.New(link.Config{
		Store: r.store, Feed: subscribing{f}, Verify: verify, Removed: removed(ctx, r.store), Proxies: r.proxies,
		Log: c.Log.With("component", "link"), Metrics: r.metrics,
	})}
}

// subscribing is the feed as the link needs it.
type subscribing struct{ *feed.Feed }

// Subscribe implements link.Feed.
func (s subscribing) Subscribe(h ecs.Home, node string, have int64) link.Subscription {
	return s.Feed.Subscribe(compile.NodeKey(vpcHome(h), node), have)
}

// machines are the nodes of Amazon ECS, as the wing of networks asks for them.
type machines struct{}

var _ feed.Nodes = machines{}

// Tables implements feed.Nodes.
func (machines) Tables() []string { return []string{tables.Instances.Name()} }

// All implements feed.Nodes.
func (machines) All(tx store.Tx) iter.Seq2[vpc.Home, string] {
	return func(yield func(vpc.Home, string) bool) {
		for h, node := range tables.Nodes(tx) {
			if !yield(vpcHome(h), node) {
				return
			}
		}
	}
}

// Of implements feed.Nodes.
func (machines) Of(c store.Change) (vpc.Home, string) {
	old, now, ok := tables.Instances.Of(c)
	switch {
	case ok && now != nil:
		return vpcHome(now.Home), now.Node
	case ok && old != nil:
		return vpcHome(old.Home), old.Node
	}
	return vpc.Home{}, ""
}

// Address implements feed.Nodes. What is no address is nowhere.
func (machines) Address(tx store.Tx, h vpc.Home, node string) netip.Addr {
	a, _ := netip.ParseAddr(tables.NodeAddress(tx, ecs.Home{Account: h.Account, Region: h.Region}, node))
	return a.Unmap()
}

// Is implements feed.Nodes.
func (machines) Is(tx store.Tx, h vpc.Home, node string) bool {
	return tables.IsNode(tx, ecs.Home{Account: h.Account, Region: h.Region}, node)
}
