package store

import (
	"sort"
	"strings"
	"time"
)

// origin is what stays the same over the runs of one Update.
type origin struct {
	now   time.Time
	newID func() string
	ids   []string
}

// tx is the only Tx. own is nil when it is read-only.
type tx struct {
	snap   *snapshot
	origin *origin
	nextID int
	own    *overlay
}

func (t *tx) Now() time.Time  { return t.origin.now }
func (t *tx) Revision() int64 { return t.snap.revision }

func (t *tx) NewID() string {
	if t.nextID == len(t.origin.ids) {
		t.origin.ids = append(t.origin.ids, t.origin.newID())
	}
	t.nextID++
	return t.origin.ids[t.nextID-1]
}

func (t *tx) get(c *core, key string, guard bool) (*row, any) {
	i := t.snap.layout.place(c)
	r, _ := t.snap.tables[i].rows.Get(key)
	if t.own != nil {
		if p, ok := t.own.at(i, key); ok {
			return r, p.rec
		}
		if guard {
			t.own.guard(i, key, r)
		}
	}
	if r == nil {
		return nil, nil
	}
	return r, r.rec
}

func (t *tx) put(c *core, key string, rec any) {
	t.writable()
	if key == "" {
		panic("store: table " + c.name + ": a record's key is empty")
	}
	t.own.set(t.snap.layout.place(c), key, rec)
}

func (t *tx) remove(c *core, key string) {
	t.writable()
	t.own.set(t.snap.layout.place(c), key, nil)
}

func (t *tx) writable() {
	if t.own == nil {
		panic("store: write in a read-only Tx")
	}
	if t.own.done {
		panic("store: write after the Update's function returned")
	}
}

func (t *tx) list(c *core, prefix, after string, yield func(string, any) bool) {
	i := t.snap.layout.place(c)
	walk := func(fn func(*row) bool) { t.snap.tables[i].ascend(prefix, after, fn) }
	keep := func(p pending) bool {
		return p.rec != nil && strings.HasPrefix(p.key, prefix) && (after == "" || p.key > after)
	}
	t.walk(i, walk, keep, yield)
}

func (t *tx) listIndex(x *indexCore, value, after string, yield func(string, any) bool) {
	i := t.snap.layout.place(x.c)
	walk := func(fn func(*row) bool) { t.snap.tables[i].indexes[x.pos].ascend(value, after, fn) }
	keep := func(p pending) bool { return x.has(p.rec, value) && (after == "" || p.key > after) }
	t.walk(i, walk, keep, yield)
}

// walk merges the snapshot's rows with the transaction's own writes, both in key order.
func (t *tx) walk(i int, walk func(func(*row) bool), keep func(pending) bool, yield func(string, any) bool) {
	if t.own == nil {
		walk(func(r *row) bool { return yield(r.key, r.rec) })
		return
	}
	t.own.fence(i)
	mine, hidden := t.own.of(i, keep)
	more := true
	walk(func(r *row) bool {
		for more && len(mine) > 0 && mine[0].key < r.key {
			more = yield(mine[0].key, mine[0].rec)
			mine = mine[1:]
		}
		if more && !hidden[r.key] {
			more = yield(r.key, r.rec)
		}
		return more
	})
	for ; more && len(mine) > 0; mine = mine[1:] {
		more = yield(mine[0].key, mine[0].rec)
	}
}

func (t *tx) countIndex(x *indexCore, value string) int {
	i := t.snap.layout.place(x.c)
	n, _ := t.snap.tables[i].indexes[x.pos].counts.Get(value)
	if t.own == nil {
		return n
	}
	t.own.fence(i)
	for _, p := range t.own.writes {
		if p.table != i {
			continue
		}
		if r, ok := t.snap.tables[i].rows.Get(p.key); ok && x.has(r.rec, value) {
			n--
		}
		if x.has(p.rec, value) {
			n++
		}
	}
	return n
}

func sortPending(ps []pending) {
	sort.Slice(ps, func(a, b int) bool { return ps[a].key < ps[b].key })
}
