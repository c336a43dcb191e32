package view

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/node/dns/message"
)

// pile is values in the order of their data, of which none may be found by its number. It never changes: one value more or less makes another
// pile, which shares all but the part that the value is in.
type pile struct {
	parts []part
	n     int
	each  int // length of a record as message.AppendRecord writes it; 0 when they differ, or two of them are the same
}

// part is values that are together. None is empty.
type part struct {
	before int // values in the parts before it
	values []*value
	wire   []byte // their records as they are in answers, if they are of one length and no two are the same
	each   int    // that length, or 0
}

// written is a part with its records written: who answers them then need not look for each in another place.
func written(values []*value) part {
	p := part{values: values}
	var last *value
	for _, v := range values {
		at := len(p.wire)
		if p.wire = message.AppendRecord(p.wire, message.Record{Type: v.kind, TTL: v.ttl, Data: v.data}); last == nil {
			p.each = len(p.wire)
		}
		if len(p.wire)-at != p.each || p.each > mostWritten || last != nil && bytes.Equal(v.data, last.data) {
			p.wire, p.each = nil, 0
			return p
		}
		last = v
	}
	return p
}

// mostWritten is the longest record that is kept written. Addresses are shorter.
const mostWritten = 64

// A part has at most so many values. A name of a thousand, which is what AWS allows, has about thirty parts.
const partSize = 64

// order is that of piles. Values with the same data are beside each other.
func order(a, b *value) int {
	return cmp.Or(bytes.Compare(a.data, b.data), strings.Compare(a.key, b.key))
}

// find is the part that a value is in, or would be; and where.
func (p *pile) find(v *value) (k, i int, there bool) {
	k, _ = slices.BinarySearchFunc(p.parts, v, func(q part, v *value) int { return order(q.values[len(q.values)-1], v) })
	if k == len(p.parts) {
		k--
	}
	i, there = slices.BinarySearchFunc(p.parts[k].values, v, order)
	return k, i, there
}

func (p pile) with(v *value) pile {
	if p.n == 0 {
		q := written([]*value{v})
		return pile{[]part{q}, 1, q.each}
	}
	k, i, there := p.find(v)
	if there {
		return p.replace(k, with(p.parts[k].values, i, 1, v))
	}
	values := with(p.parts[k].values, i, 0, v)
	if len(values) <= partSize {
		return p.replace(k, values)
	}
	half := len(values) / 2
	return p.replace(k, values[:half:half], values[half:])
}

func (p pile) without(v *value) pile {
	if p.n == 0 {
		return p
	}
	k, i, there := p.find(v)
	if !there {
		return p
	}
	values := with(p.parts[k].values, i, 1)
	if len(values) == 0 {
		return p.replace(k)
	}
	if k+1 < len(p.parts) && len(values)+len(p.parts[k+1].values) <= partSize/2 { // many small parts would be as slow as one large
		return p.replaceTwo(k, slices.Concat(values, p.parts[k+1].values))
	}
	return p.replace(k, values)
}

// with is a copy of values with some of them replaced.
func with(values []*value, at, gone int, new ...*value) []*value {
	out := make([]*value, 0, len(values)+len(new)-gone)
	return append(append(append(out, values[:at]...), new...), values[at+gone:]...)
}

func (p *pile) replace(k int, by ...[]*value) pile { return p.replaced(k, 1, by...) }

func (p *pile) replaceTwo(k int, by ...[]*value) pile { return p.replaced(k, 2, by...) }

func (p *pile) replaced(k, gone int, by ...[]*value) pile {
	out := pile{parts: make([]part, 0, len(p.parts)+len(by)-gone)}
	for _, q := range p.parts[:k] {
		out.add(q)
	}
	for _, values := range by {
		out.add(written(values))
	}
	for _, q := range p.parts[k+gone:] {
		out.add(q)
	}
	return out
}

// add puts a part behind the others of a pile that is being made.
func (p *pile) add(q part) {
	if p.n == 0 {
		p.each = q.each
	} else if before := p.parts[len(p.parts)-1].values; q.each != p.each || bytes.Equal(before[len(before)-1].data, q.values[0].data) {
		p.each = 0
	}
	q.before = p.n
	p.parts = append(p.parts, q)
	p.n += len(q.values)
}

// cursor goes around a pile.
type cursor struct {
	p    *pile
	k, i int
}

// from is the cursor at a number.
func (p *pile) from(n int) cursor {
	k := 0
	if len(p.parts) > 1 {
		k, _ = slices.BinarySearchFunc(p.parts, n+1, func(q part, n int) int { return q.before - n })
		k--
	}
	return cursor{p, k, n - p.parts[k].before}
}

// next is the value at the cursor, which goes to the one behind.
func (c *cursor) next() *value {
	values := c.p.parts[c.k].values
	v := values[c.i]
	if c.i++; c.i == len(values) {
		c.i = 0
		if c.k++; c.k == len(c.p.parts) {
			c.k = 0
		}
	}
	return v
}

// run is the records of up to n values at the cursor, which are together, and goes to what is behind them.
func (c *cursor) run(n int) []byte {
	q := &c.p.parts[c.k]
	from := c.i
	if c.i = min(from+n, len(q.values)); c.i < len(q.values) {
		return q.wire[from*q.each : c.i*q.each]
	}
	c.i = 0
	if c.k++; c.k == len(c.p.parts) {
		c.k = 0
	}
	return q.wire[from*q.each:]
}
