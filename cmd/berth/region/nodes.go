package region

import (
	"net/http"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/session/link"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/feed"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// nodes is what tells berth's own nodes what to be.
type nodes struct {
	feed *feed.Feed
	link *link.Link
}

func newNodes(c Config, r rooms, verify func(*http.Request) (sigv4.Identity, error)) nodes {
	f := feed.New(feed.Config{
		Store: r.store, Settings: compileSettings(), Log: c.Log.With("component", "feed"),
	})
	return nodes{f, link.New(link.Config{
		Store: r.store, Feed: subscribing{f}, Verify: verify, Log: c.Log.With("component", "link"), Metrics: r.metrics,
	})}
}

// subscribing is the feed as the link needs it.
type subscribing struct{ *feed.Feed }

// Subscribe implements link.Feed.
func (s subscribing) Subscribe(h ecs.Home, node string, have int64) link.Subscription {
	return s.Feed.Subscribe(compile.NodeKey(vpcHome(h), node), have)
}
