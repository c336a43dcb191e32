package view

import (
	"errors"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/dns/message"
	"github.com/berth-ecs/berth/node/dns/trie"
	"github.com/berth-ecs/berth/nodeconf"
)

// node is a name of a zone: one that has values, or one that names below have in them.
type node struct {
	sets  []set // by type
	below int   // names below it that have values
}

// set is the values of one name and type.
type set struct {
	kind     uint16
	weighted int // how many say that one is to be drawn
	healthy  pile
	others   pile
}

// value is one record of a name.
type value struct {
	key      string
	zone     string
	name     []byte // as labels, in lower case
	kind     uint16
	ttl      uint32
	data     []byte
	next     []byte // the name that data refers to, in lower case: of CNAME and SRV
	weighted bool
	healthy  bool
}

// answered are the values that are answered: the healthy ones, or all when none is.
func (s *set) answered() *pile {
	if s.healthy.n > 0 {
		return &s.healthy
	}
	return &s.others
}

// with is the set with a value more.
func (s set) with(v *value) set {
	if v.healthy {
		s.healthy = s.healthy.with(v)
	} else {
		s.others = s.others.with(v)
	}
	s.weighted += btoi(v.weighted)
	return s
}

func (s set) without(v *value) set {
	if v.healthy {
		s.healthy = s.healthy.without(v)
	} else {
		s.others = s.others.without(v)
	}
	s.weighted -= btoi(v.weighted)
	return s
}

func (v *View) putValue(key string, c nodeconf.Value) error {
	val, err := valueOf(key, c)
	if err != nil {
		return err
	}
	v.values = v.values.With(key, val)
	v.edit(val, func(s set) set { return s.with(val) })
	return nil
}

func (v *View) dropValue(key string) {
	val, ok := v.values.Get([]byte(key))
	if !ok {
		return
	}
	v.values = v.values.Without(key)
	v.edit(val, func(s set) set { return s.without(val) })
}

// edit changes a value's set in its zone, and counts for the names above whether there is one below.
func (v *View) edit(val *value, f func(set) set) {
	tree, _ := v.trees.Get([]byte(val.zone))
	had, has := update(&tree, val.name, func(n *node) { n.sets = replaced(n.sets, val.kind, f) })
	if step := btoi(has) - btoi(had); step != 0 {
		for at := parent(val.name); len(at) > 0; at = parent(at) {
			update(&tree, at, func(n *node) { n.below += step })
		}
	}
	if tree.Len() == 0 {
		v.trees = v.trees.Without(val.zone)
	} else {
		v.trees = v.trees.With(val.zone, tree)
	}
}

// replaced are sets of which one is changed. One without values is none.
func replaced(sets []set, kind uint16, f func(set) set) []set {
	i, there := slices.BinarySearchFunc(sets, kind, func(s set, k uint16) int { return int(s.kind) - int(k) })
	old := set{kind: kind}
	if there {
		old = sets[i]
	}
	next := f(old)
	out := make([]set, 0, len(sets)+1)
	out = append(out, sets[:i]...)
	if next.healthy.n+next.others.n > 0 {
		out = append(out, next)
	}
	return append(out, sets[i+btoi(there):]...)
}

// update says whether a name had values before and has them now.
func update(tree *trie.Map[*node], name []byte, f func(*node)) (had, has bool) {
	var n node
	if old, ok := tree.Get(name); ok {
		n = *old
	}
	had = len(n.sets) > 0
	f(&n)
	if len(n.sets) == 0 && n.below == 0 {
		*tree = tree.Without(string(name))
		return had, false
	}
	*tree = tree.With(string(name), &n)
	return had, len(n.sets) > 0
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func valueOf(key string, c nodeconf.Value) (*value, error) {
	name, err := labels(c.Name)
	if err != nil {
		return nil, fmt.Errorf("name %q: %w", c.Name, err)
	}
	v := &value{key: key, zone: c.Zone, name: lowered(name), ttl: min(c.TTL, 1<<31-1), weighted: c.Weighted, healthy: !c.Unhealthy}
	if err := v.read(c.Type, c.Value); err != nil {
		return nil, fmt.Errorf("%s %q: %w", c.Type, c.Value, err)
	}
	return v, nil
}

// read reads a value as in a zone file.
func (v *value) read(kind, text string) error {
	if text == "" {
		return errors.New("no value")
	}
	rr, err := dns.NewRR(". 0 IN " + kind + " " + text)
	if err != nil {
		return err
	}
	if rr == nil {
		return errors.New("no record")
	}
	v.kind = rr.Header().Rrtype
	switch v.kind {
	case message.TypeOPT, message.TypeANY, message.TypeAXFR, message.TypeIXFR:
		return errors.New("is no type of records")
	}
	b := make([]byte, dns.Len(rr)+16)
	n, err := dns.PackRR(rr, b, 0, nil, false)
	if err != nil {
		return err
	}
	v.data = slices.Clone(b[11:n]) // after the root's name, type, class, TTL and length
	switch v.kind {
	case message.TypeCNAME:
		v.next = lowered(v.data)
	case message.TypeSRV:
		v.next = lowered(v.data[6:])
	}
	return nil
}
