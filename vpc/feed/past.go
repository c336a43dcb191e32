package feed

import "github.com/berth-ecs/berth/nodeconf"

// past is the changes since the store was read, as far as there is room, for nodes that come back.
type past struct {
	room  int   // how many resources there may be
	since int64 // revision at which the store was read
	told  map[string]bool
	nodes map[string]*history
	order []string // nodes of all changes, oldest first
	size  int
}

type history struct {
	floor   int64 // what was changed up to here is not kept
	changes []nodeconf.Delta
}

func (p *past) forget(revision int64) {
	*p = past{room: p.room, since: revision, told: map[string]bool{}, nodes: map[string]*history{}}
}

func cost(d *nodeconf.Delta) int { return 1 + d.Set.Len() + len(d.Gone) }

func (p *past) add(node string, d nodeconf.Delta) {
	h := p.nodes[node]
	if h == nil {
		h = &history{floor: p.since}
		p.nodes[node] = h
	}
	h.changes = append(h.changes, d)
	p.order = append(p.order, node)
	p.size += cost(&d)
	for p.size > p.room {
		p.drop()
	}
}

// drop forgets the oldest change of all. What remains of a node without changes is how far back it is not known.
func (p *past) drop() {
	node := p.order[0]
	h := p.nodes[node]
	p.order = p.order[1:]
	p.size -= cost(&h.changes[0])
	h.floor = h.changes[0].To
	h.changes = h.changes[1:]
}

// from is what changed for a node since a version; not ok: that is not known. A version at which the store was read may be one that another
// program compiled, unless this one told it.
func (p *past) from(node string, have int64) (since []nodeconf.Delta, ok bool) {
	if have < p.since || have == p.since && !p.told[node] {
		return nil, false
	}
	h := p.nodes[node]
	if h == nil {
		return nil, true
	}
	if have < h.floor {
		return nil, false
	}
	for i := range h.changes {
		if h.changes[i].To > have {
			return h.changes[i:], true
		}
	}
	return nil, true
}
