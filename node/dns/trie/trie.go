// Package trie is a map that never changes: another entry makes another map, which shares all but the path to the entry.
//
// Guarantees: readers need no lock; With and Without cost O(log n); the zero value is empty.
package trie

import (
	"hash/maphash"
	"iter"
	"math/bits"
)

// Map maps texts to values.
type Map[V any] struct {
	root *branch[V]
	n    int
}

// branch has up to 16 children, those there are close together.
type branch[V any] struct {
	has  uint16
	kids []child[V]
}

// child is a branch, or entries whose hashes are alike as far as was looked; usually one.
type child[V any] struct {
	branch  *branch[V]
	entries []entry[V]
}

type entry[V any] struct {
	hash  uint64
	key   string
	value V
}

const (
	width = 4
	depth = 64 / width
)

var seed = maphash.MakeSeed()

// Len is how many entries there are.
func (m Map[V]) Len() int { return m.n }

// Get looks up.
func (m Map[V]) Get(key []byte) (v V, ok bool) {
	if m.root == nil {
		return v, false
	}
	h := maphash.Bytes(seed, key)
	for b, shift := m.root, 0; ; shift += width {
		bit := uint16(1) << (h >> shift & 15)
		if b.has&bit == 0 {
			return v, false
		}
		c := &b.kids[bits.OnesCount16(b.has&(bit-1))]
		if c.branch != nil {
			b = c.branch
			continue
		}
		for i := range c.entries {
			if e := &c.entries[i]; e.hash == h && e.key == string(key) {
				return e.value, true
			}
		}
		return v, false
	}
}

// With is the map with an entry more, or another value of it.
func (m Map[V]) With(key string, v V) Map[V] {
	h := maphash.String(seed, key)
	root, added := m.root.with(entry[V]{h, key, v}, 0)
	if added {
		m.n++
	}
	m.root = root
	return m
}

func (b *branch[V]) with(e entry[V], level int) (*branch[V], bool) {
	var old branch[V]
	if b != nil {
		old = *b
	}
	bit := uint16(1) << (e.hash >> (level * width) & 15)
	i := bits.OnesCount16(old.has & (bit - 1))
	kids := make([]child[V], 0, len(old.kids)+1)
	kids = append(kids, old.kids[:i]...)
	if old.has&bit == 0 {
		kids = append(append(kids, child[V]{entries: []entry[V]{e}}), old.kids[i:]...)
		return &branch[V]{old.has | bit, kids}, true
	}
	c, added := old.kids[i].with(e, level)
	return &branch[V]{old.has, append(append(kids, c), old.kids[i+1:]...)}, added
}

func (c child[V]) with(e entry[V], level int) (child[V], bool) {
	if c.branch != nil {
		b, added := c.branch.with(e, level+1)
		return child[V]{branch: b}, added
	}
	for i, old := range c.entries {
		if old.key == e.key {
			all := append([]entry[V](nil), c.entries...)
			all[i] = e
			return child[V]{entries: all}, false
		}
	}
	if level+1 == depth { // the whole hash is alike
		return child[V]{entries: append(append([]entry[V](nil), c.entries...), e)}, true
	}
	var b *branch[V]
	for _, old := range c.entries {
		b, _ = b.with(old, level+1)
	}
	b, _ = b.with(e, level+1)
	return child[V]{branch: b}, true
}

// Without is the map without an entry.
func (m Map[V]) Without(key string) Map[V] {
	if m.root == nil {
		return m
	}
	if root, gone := m.root.without(maphash.String(seed, key), key, 0); gone {
		m.root = root
		m.n--
	}
	return m
}

// without answers nil for a branch that has become empty.
func (b *branch[V]) without(h uint64, key string, level int) (*branch[V], bool) {
	bit := uint16(1) << (h >> (level * width) & 15)
	if b.has&bit == 0 {
		return b, false
	}
	i := bits.OnesCount16(b.has & (bit - 1))
	c, gone := b.kids[i].without(h, key, level)
	if !gone {
		return b, false
	}
	kids := append(make([]child[V], 0, len(b.kids)), b.kids[:i]...)
	if c.branch == nil && len(c.entries) == 0 {
		if len(b.kids) == 1 {
			return nil, true
		}
		return &branch[V]{b.has &^ bit, append(kids, b.kids[i+1:]...)}, true
	}
	return &branch[V]{b.has, append(append(kids, c), b.kids[i+1:]...)}, true
}

func (c child[V]) without(h uint64, key string, level int) (child[V], bool) {
	if c.branch != nil {
		b, gone := c.branch.without(h, key, level+1)
		return child[V]{branch: b}, gone
	}
	for i, e := range c.entries {
		if e.key == key {
			return child[V]{entries: append(append([]entry[V](nil), c.entries[:i]...), c.entries[i+1:]...)}, true
		}
	}
	return c, false
}

// All goes over the entries, in no order.
func (m Map[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) { m.root.all(yield) }
}

func (b *branch[V]) all(yield func(string, V) bool) bool {
	if b == nil {
		return true
	}
	for _, c := range b.kids {
		if !c.branch.all(yield) {
			return false
		}
		for _, e := range c.entries {
			if !yield(e.key, e.value) {
				return false
			}
		}
	}
	return true
}
