package compile

import (
	"cmp"
	"iter"
	"maps"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/vpc"
)

// Index holds records and what of them each node needs. Make it with New.
type Index struct {
	records  *Records
	settings Settings
	entries  map[ref]*entry
	members  map[string]map[netip.Addr]int // of groups; how many interfaces have an address, which is one but in between
	nodes    map[string]netip.Addr
	homes    map[string]string // of nodes, by nodeconf.HomeKey
	names    names
	now      *step // of the Apply that runs
}

// step is what one Apply touched, as it was before.
type step struct {
	dirty   map[ref]struct{} // what depends on a record that changed
	values  map[ref]any      // of what was compiled again, or came to a node, or left one
	flips   map[ref]map[string]bool
	members map[string]map[netip.Addr]bool
	ifaces  map[string]*vpc.Interface
	nodes   map[string]netip.Addr
	homes   map[string]string
	names   map[string]map[string]any // values of zones
}

// New makes an index without records.
func New(s Settings) *Index {
	return &Index{
		records: NewRecords(), settings: s, entries: map[ref]*entry{}, members: map[string]map[netip.Addr]int{}, nodes: map[string]netip.Addr{},
		homes: map[string]string{}, names: newNames(),
	}
}

// Full compiles records at once: a configuration by NodeKey.
func Full(records iter.Seq[any], s Settings) map[string]nodeconf.Config {
	x := New(s)
	x.Load(records)
	out := map[string]nodeconf.Config{}
	for node := range x.records.on {
		out[node] = x.Config(node)
	}
	return out
}

// Records are what the index was told. They must not be changed.
func (x *Index) Records() *Records { return x.records }

// Load puts records into an empty index.
func (x *Index) Load(records iter.Seq[any]) {
	x.begin()
	for rec := range records {
		x.take(Change{New: rec})
	}
	x.settle()
	x.now = nil
}

// Apply takes changes, in their order and as one, and answers the change of each node (by NodeKey) whose configuration changed. Their versions are zero: the
// caller knows what it counts by.
func (x *Index) Apply(changes ...Change) map[string]*nodeconf.Delta {
	x.begin()
	for _, c := range changes {
		x.take(c)
	}
	return x.end()
}

// SetNode says where a node (by NodeKey) is reached on the machines' network; the zero Addr for nowhere. Interfaces of nodes that are reached nowhere are not told
// to other nodes.
func (x *Index) SetNode(node string, at netip.Addr) map[string]*nodeconf.Delta {
	x.begin()
	if was := x.nodes[node]; was != at {
		x.now.nodes[node] = was
		if x.nodes[node] = at; !at.IsValid() {
			delete(x.nodes, node)
		}
		for id := range x.records.on.all(node) {
			x.now.ifaces[id] = x.records.Interfaces[id]
		}
	}
	return x.end()
}

// Nodes are the nodes that have interfaces, by NodeKey.
func (x *Index) Nodes() iter.Seq[string] { return maps.Keys(x.records.on) }

func (x *Index) begin() {
	x.now = &step{
		dirty: map[ref]struct{}{}, values: map[ref]any{}, flips: map[ref]map[string]bool{}, members: map[string]map[netip.Addr]bool{},
		ifaces: map[string]*vpc.Interface{}, nodes: map[string]netip.Addr{}, homes: map[string]string{}, names: map[string]map[string]any{},
	}
}

func (x *Index) end() map[string]*nodeconf.Delta {
	x.settle()
	out := x.deltas()
	x.now = nil
	return out
}

// take notes what depends on a record. It is compiled when all changes are known.
func (x *Index) take(c Change) {
	old := x.records.Apply(c)
	if old == nil && c.New == nil {
		return
	}
	for _, rec := range []any{old, c.New} {
		if rec != nil {
			x.mark(rec, old == nil || c.New == nil)
		}
	}
	before, _ := old.(*vpc.Interface)
	after, _ := c.New.(*vpc.Interface)
	if before == nil && after == nil {
		return
	}
	x.count(before, -1)
	x.count(after, +1)
	id := cmp.Or(after, before).ID
	if _, seen := x.now.ifaces[id]; !seen {
		x.now.ifaces[id] = before
	}
}

// count keeps the members of an interface's groups.
func (x *Index) count(i *vpc.Interface, by int) {
	if i == nil {
		return
	}
	for _, g := range distinct(i.Groups) {
		for _, a := range addresses(i) {
			x.countOne(g, a, by)
		}
	}
}

func (x *Index) countOne(group string, a netip.Addr, by int) {
	was := x.now.members[group]
	if was == nil {
		was = map[netip.Addr]bool{}
		x.now.members[group] = was
	}
	all := x.members[group]
	if all == nil {
		all = map[netip.Addr]int{}
		x.members[group] = all
	}
	if _, seen := was[a]; !seen {
		was[a] = all[a] > 0
	}
	if all[a] += by; all[a] == 0 {
		delete(all, a)
	}
	if len(all) == 0 {
		delete(x.members, group)
	}
}

func distinct(ids []string) []string {
	if len(ids) < 2 {
		return ids
	}
	out := slices.Clone(ids)
	slices.Sort(out)
	return slices.Compact(out)
}
