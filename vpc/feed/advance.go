package feed

import (
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
)

// advance takes commits one by one, so that no state in between is skipped: a node may come with it from another server.
func (f *Feed) advance(b store.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(b.Changes) > 0 {
		revision := b.Changes[0].Revision
		c := commit{}
		for len(b.Changes) > 0 && b.Changes[0].Revision == revision {
			f.sort(&c, b.Snapshot, b.Changes[0])
			b.Changes = b.Changes[1:]
		}
		f.tell(f.compile(&c, revision), revision)
	}
	f.revision = b.Revision
}

// commit is the changes of one, by what they are about.
type commit struct {
	records  []compile.Change
	names    []store.Change
	machines []machine
}

// machine is a node as the last commit of a batch has it: what a node is told of a commit in the middle may be ahead, never behind, and the
// changes up to the last one say the same once more.
type machine struct {
	home vpc.Home
	node string // compile.NodeKey
	at   netip.Addr
	is   bool
}

func (f *Feed) sort(c *commit, tx store.Tx, one store.Change) {
	if f.Nodes != nil {
		if h, name := f.Nodes.Of(one); name != "" {
			c.machines = append(c.machines, f.machine(tx, h, name))
			return
		}
	}
	if slices.Contains(f.naming, one.Table) {
		c.names = append(c.names, one)
		return
	}
	c.records = append(c.records, compile.Change{Old: one.Old, New: one.New})
}

func (f *Feed) machine(tx store.Tx, h vpc.Home, name string) machine {
	return machine{h, compile.NodeKey(h, name), f.Nodes.Address(tx, h, name), f.Nodes.Is(tx, h, name)}
}

// compile is what a commit makes of each node.
func (f *Feed) compile(c *commit, revision int64) map[string]*nodeconf.Delta {
	out := f.index.Apply(c.records...)
	also := func(more map[string]*nodeconf.Delta) {
		for node, d := range more {
			if out[node] == nil {
				out[node] = d
				continue
			}
			d.From, d.To = max(f.revision, 1), revision // from 0 would be everything
			out[node].Then(*d)
		}
	}
	if len(c.names) > 0 {
		also(f.index.Name(f.Names.Follow(c.names)))
	}
	for _, m := range c.machines {
		also(f.index.SetNode(m.node, m.at))
		also(f.index.SetHome(m.node, m.home, m.is))
	}
	return out
}

func (f *Feed) tell(out map[string]*nodeconf.Delta, revision int64) {
	for node, d := range out {
		d.From, d.To = f.revision, revision
		f.past.add(node, *d)
		for s := range f.subs[node] {
			s.push(*d)
		}
	}
	f.revision = revision
}

// reach tells an index where all nodes are.
func (f *Feed) reach(x *compile.Index, tx store.Tx) {
	if f.Nodes == nil {
		return
	}
	for h, name := range f.Nodes.All(tx) {
		m := f.machine(tx, h, name)
		x.SetNode(m.node, m.at)
		x.SetHome(m.node, m.home, m.is)
	}
}
