package feed

import (
	"net/netip"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc/compile"
)

// advance takes commits one by one, so that no state in between is skipped: a node may come with it from another server.
func (f *Feed) advance(b store.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(b.Changes) > 0 {
		revision := b.Changes[0].Revision
		var commit []compile.Change
		at := map[string]netip.Addr{}
		for len(b.Changes) > 0 && b.Changes[0].Revision == revision {
			c := b.Changes[0]
			b.Changes = b.Changes[1:]
			if node, a, ok := f.reached(b.Snapshot, c); ok {
				at[node] = a
				continue
			}
			commit = append(commit, compile.Change{Old: c.Old, New: c.New})
		}
		f.tell(f.moved(f.index.Apply(commit...), at, revision), revision)
	}
	f.revision = b.Revision
}

// reached is where a node is reached when a change is about one. It is read from the last commit of a batch: what a node is told of a
// commit in the middle may be ahead, never behind, and the changes up to the last one say the same once more.
func (f *Feed) reached(tx store.Tx, c store.Change) (node string, at netip.Addr, ok bool) {
	if f.Nodes == nil {
		return "", at, false
	}
	h, name := f.Nodes.Of(c)
	if name == "" {
		return "", at, false
	}
	return compile.NodeKey(h, name), f.Nodes.Address(tx, h, name), true
}

// moved adds what nodes are told because others are reached elsewhere now.
func (f *Feed) moved(out map[string]*nodeconf.Delta, at map[string]netip.Addr, revision int64) map[string]*nodeconf.Delta {
	for node, a := range at {
		for other, d := range f.index.SetNode(node, a) {
			if out[other] == nil {
				out[other] = &nodeconf.Delta{}
			}
			d.From, d.To = max(f.revision, 1), revision // from 0 would be everything
			out[other].Then(*d)
		}
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
		x.SetNode(compile.NodeKey(h, name), f.Nodes.Address(tx, h, name))
	}
}
