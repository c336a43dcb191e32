// Package feed tells each node what it must be, as it changes: it follows the VPC wing's records in the store, compiles them, and serves
// one subscription a node.
//
// Guarantees:
//
//   - What a subscription answers, applied in order to the configuration of the version it began with, gives what the records say: nothing is missed,
//     also when the store's watch was lost.
//   - Versions are revisions of the store and never go back, so that a node may go on at another server. From 0 is a whole configuration: it
//     is what a node gets whose version this feed does not know the way from.
//   - A change is told when its commit is known, without delay. What a subscriber does not take is put together and takes no more memory than
//     a fixed number of resources; beyond, it gets the whole. So is what is kept for nodes that come back.
//   - Every server runs one; it writes nothing.
//
// Servers of different versions of the program may compile differently. A feed says the whole to a node that it does not know, so a
// server that was replaced says everything anew; it does not say so to a node that comes from another server with a later revision.
package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/netip"
	"sync"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/tables"
)

// Config is what a Feed needs.
type Config struct {
	Store    store.Store      // required
	Settings compile.Settings // optional
	Nodes    Nodes            // optional: without, no node is told of interfaces on others, and none has a home
	Names    Names            // optional: without, there are no zones
	Log      *slog.Logger     // required
	// Pending is how many resources wait for a subscriber before the whole configuration replaces them. Optional: 16,384.
	Pending int
	// Past is how many are kept, of all nodes, for those that come back. Optional: 65,536.
	Past int
}

// Nodes is the wing that knows the machines, in tables of its own in the same store.
type Nodes interface {
	// Tables are those that tell where nodes are reached.
	Tables() []string
	// All yields the nodes that there are.
	All(tx store.Tx) iter.Seq2[vpc.Home, string]
	// Of is the node that a change of Tables is about, "" for none.
	Of(c store.Change) (vpc.Home, string)
	// Address is where a node is reached on the network of the machines, the zero Addr for nowhere.
	Address(tx store.Tx, h vpc.Home, node string) netip.Addr
	// Is says whether there is such a node.
	Is(tx store.Tx, h vpc.Home, node string) bool
}

// Names is the wing that names things, in tables of its own in the same store. Its methods are not called at once.
type Names interface {
	// Tables are those that zones are made of.
	Tables() []string
	// Load forgets everything and answers the zones and values that the records make.
	Load(tx store.Tx) nodeconf.Resources
	// Follow answers how zones and values change with changes of Tables, which are of one commit.
	Follow(changes []store.Change) nodeconf.Delta
}

// Feed is what one server tells nodes. Its methods are safe for concurrent use.
type Feed struct {
	Config
	mu       sync.Mutex
	index    *compile.Index // nil until the store was read
	revision int64          // of index
	naming   []string       // tables of Names
	past     past
	subs     map[string]map[*Subscription]struct{} // by compile.NodeKey
	ended    chan struct{}                         // closed when Run ends
}

// New makes a Feed. Subscriptions wait for Run.
func New(c Config) *Feed {
	c.Pending, c.Past = cmp.Or(c.Pending, 1<<14), cmp.Or(c.Past, 1<<16)
	f := &Feed{Config: c, past: past{room: c.Past}, subs: map[string]map[*Subscription]struct{}{}, ended: make(chan struct{})}
	if c.Names != nil {
		f.naming = c.Names.Tables()
	}
	return f
}

// sources are the tables that configurations are made of.
var sources = []interface {
	Name() string
}{
	tables.VPCs, tables.Subnets, tables.DHCPOptions, tables.Interfaces, tables.SecurityGroups, tables.Rules, tables.ACLs, tables.RouteTables,
	tables.Associations, tables.InternetGateways, tables.NATGateways,
}

// Records yields every record that configurations are made of.
func Records(tx store.Tx) iter.Seq[any] {
	return func(yield func(any) bool) {
		_ = each(tx, tables.VPCs, yield) && each(tx, tables.Subnets, yield) && each(tx, tables.DHCPOptions, yield) && each(tx, tables.Interfaces, yield) &&
			each(tx, tables.SecurityGroups, yield) && each(tx, tables.Rules, yield) && each(tx, tables.ACLs, yield) && each(tx, tables.RouteTables, yield) &&
			each(tx, tables.Associations, yield) && each(tx, tables.InternetGateways, yield) && each(tx, tables.NATGateways, yield)
	}
}

func each[T any](tx store.Tx, t *store.Table[T], yield func(any) bool) bool {
	for _, rec := range t.List(tx, "", "") {
		if !yield(rec) {
			return false
		}
	}
	return true
}

// Run follows the store until ctx ends (nil) or the store closes (its error). It is called once.
func (f *Feed) Run(ctx context.Context) error {
	defer f.end()
	var names []string
	for _, t := range sources {
		names = append(names, t.Name())
	}
	if f.Nodes != nil {
		names = append(names, f.Nodes.Tables()...)
	}
	names = append(names, f.naming...)
	sub := f.Store.Watch(ctx, names...)
	defer sub.Close()
	for {
		b, err := sub.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("feed of node configurations: %w", err)
		case b.Resync:
			f.rebuild(b)
		default:
			f.advance(b)
		}
	}
}

// end has those who follow see that there is nobody any more.
func (f *Feed) end() {
	close(f.ended)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, subs := range f.subs {
		for s := range subs {
			s.wake()
		}
	}
}

// rebuild reads everything again. Who follows gets the difference between what was known and what is.
func (f *Feed) rebuild(b store.Batch) {
	next := compile.New(f.Settings)
	f.reach(next, b.Snapshot)
	if f.Names != nil {
		next.LoadNames(f.Names.Load(b.Snapshot))
	}
	next.Load(Records(b.Snapshot))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Log.Debug("node configurations compiled", "revision", b.Revision, "interfaces", len(next.Records().Interfaces))
	was, before := f.index, f.revision
	f.index, f.revision = next, b.Revision
	f.past.forget(b.Revision)
	for node, subs := range f.subs {
		var d nodeconf.Delta
		if was != nil {
			from, to := was.Config(node), next.Config(node)
			d = nodeconf.Diff(&from, &to)
			d.From, d.To = before, b.Revision
		}
		for s := range subs {
			if was == nil || before < s.at && s.at < b.Revision {
				s.startOver() // it began, or stands between two states of which only the ends are known
				continue
			}
			s.push(d)
		}
	}
}

// errEnded is what subscriptions get when the feed no longer runs.
var errEnded = errors.New("the feed of node configurations has ended")
