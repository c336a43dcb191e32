package view

import (
	"bytes"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// A pile is the values that were put in and not taken out, in order, wherever one begins; and no change touches the pile before it.
func TestPile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p pile
		var want []*value
		for range rapid.IntRange(1, 400).Draw(t, "changes") {
			before, had := p, slices.Collect(around(&p))
			if len(want) > 0 && rapid.IntRange(0, 9).Draw(t, "what") < 4 {
				i := rapid.IntRange(0, len(want)-1).Draw(t, "which")
				p = p.without(want[i])
				want = slices.Delete(slices.Clone(want), i, i+1)
			} else {
				v := &value{data: []byte{byte(rapid.IntRange(0, 99).Draw(t, "data"))}, key: strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "key"))}
				p = p.with(v)
				if i, there := slices.BinarySearchFunc(want, v, order); there {
					want[i] = v
				} else {
					want = slices.Insert(want, i, v)
				}
			}
			if got := slices.Collect(around(&p)); !slices.Equal(got, want) || p.n != len(want) {
				t.Fatalf("%d of %d values: %v, want %v", p.n, len(want), got, want)
			}
			if !slices.Equal(slices.Collect(around(&before)), had) {
				t.Fatal("the pile before changed")
			}
			for _, q := range p.parts {
				if len(q.values) == 0 || len(q.values) > partSize {
					t.Fatalf("a part of %d", len(q.values))
				}
			}
		}
		for i := range want {
			c := p.from(i)
			if v := c.next(); v != want[i] {
				t.Fatalf("number %d is %v", i, v)
			}
		}
	})
}

func around(p *pile) func(func(*value) bool) {
	return func(yield func(*value) bool) {
		if p.n == 0 {
			return
		}
		c := p.from(0)
		for range p.n {
			if !yield(c.next()) {
				return
			}
		}
	}
}

// What a change of a name with a thousand values costs is far from a thousand values.
func TestPileSharesParts(t *testing.T) {
	var p pile
	var all []*value
	for i := range 1000 {
		v := &value{data: []byte{byte(i >> 8), byte(i)}}
		all = append(all, v)
		p = p.with(v)
	}
	next := p.without(all[500])
	shared := 0
	for _, q := range next.parts {
		if slices.ContainsFunc(p.parts, func(o part) bool { return &o.values[0] == &q.values[0] }) {
			shared++
		}
	}
	if shared < len(next.parts)-1 || len(next.parts) > 40 {
		t.Errorf("%d of %d parts are shared", shared, len(next.parts))
	}
	if !bytes.Equal(next.parts[0].values[0].data, []byte{0, 0}) {
		t.Error("the order is another")
	}
}
