package store

import (
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"github.com/berth-ecs/berth/store/unknown"
)

// row is one record as the snapshot holds it. Immutable.
type row struct {
	key     string
	mod     int64
	rec     any
	sum     uint64           // hash of the stored bytes: tells a rewrite that changes nothing
	version int              // "V" as stored; may be newer than ours
	unknown *unknown.Members // members this program does not know; nil for none
}

type entry struct {
	value string
	row   *row
}

func lessEntry(a, b entry) bool {
	if a.value != b.value {
		return a.value < b.value
	}
	return a.row.key < b.row.key
}

// tableData is one table of a snapshot. Published ones are never changed; edit copies lazily.
type tableData struct {
	rows    *btree.Map[string, *row]
	indexes []indexData
	fence   int64 // mod revision of the table's fence key
}

type indexData struct {
	entries *btree.BTreeG[entry]
	counts  *btree.Map[string, int]
}

type snapshot struct {
	revision int64
	layout   *layout
	tables   []*tableData
}

func emptySnapshot(l *layout) *snapshot {
	s := &snapshot{layout: l, tables: make([]*tableData, len(l.cores))}
	for i, c := range l.cores {
		t := &tableData{rows: btree.NewMap[string, *row](0), indexes: make([]indexData, len(c.indexes))}
		for j := range t.indexes {
			t.indexes[j].entries = btree.NewBTreeGOptions(lessEntry, btree.Options{NoLocks: true})
			t.indexes[j].counts = btree.NewMap[string, int](0)
		}
		s.tables[i] = t
	}
	return s
}

func (t *tableData) copy() *tableData {
	n := &tableData{rows: t.rows.Copy(), indexes: make([]indexData, len(t.indexes)), fence: t.fence}
	for i, x := range t.indexes {
		n.indexes[i] = indexData{entries: x.entries.Copy(), counts: x.counts.Copy()}
	}
	return n
}

// edit builds the next snapshot: tables are copied on first touch.
type edit struct {
	next    *snapshot
	touched []bool
}

func (s *snapshot) edit() *edit {
	n := &snapshot{revision: s.revision, layout: s.layout, tables: append([]*tableData(nil), s.tables...)}
	return &edit{next: n, touched: make([]bool, len(n.tables))}
}

func (e *edit) table(i int) *tableData {
	if !e.touched[i] {
		e.touched[i] = true
		e.next.tables[i] = e.next.tables[i].copy()
	}
	return e.next.tables[i]
}

// set replaces the row at r.key and answers the one before.
func (e *edit) set(i int, r *row) *row {
	t := e.table(i)
	old, _ := t.rows.Set(r.key, r)
	t.reindex(e.next.layout.cores[i], old, r)
	return old
}

func (e *edit) remove(i int, key string) *row {
	t := e.table(i)
	old, ok := t.rows.Delete(key)
	if !ok {
		return nil
	}
	t.reindex(e.next.layout.cores[i], old, nil)
	return old
}

func (t *tableData) reindex(c *core, old, new *row) {
	for i, x := range c.indexes {
		d := t.indexes[i]
		var was, is []string
		if old != nil {
			was = x.values(old.rec)
		}
		if new != nil {
			is = x.values(new.rec)
		}
		for _, v := range was {
			if !slices.Contains(is, v) {
				d.entries.Delete(entry{v, old})
				d.add(v, -1)
			}
		}
		for _, v := range is {
			d.entries.Set(entry{v, new})
			if !slices.Contains(was, v) {
				d.add(v, 1)
			}
		}
	}
}

func (d indexData) add(value string, by int) {
	n, _ := d.counts.Get(value)
	if n += by; n == 0 {
		d.counts.Delete(value)
		return
	}
	d.counts.Set(value, n)
}

// ascend walks rows whose key has prefix and is greater than after.
func (t *tableData) ascend(prefix, after string, fn func(*row) bool) {
	t.rows.Ascend(max(prefix, after), func(k string, r *row) bool {
		if !strings.HasPrefix(k, prefix) {
			return false
		}
		return (k == after && after != "") || fn(r)
	})
}

func (d indexData) ascend(value, after string, fn func(*row) bool) {
	d.entries.Ascend(entry{value, &row{key: after}}, func(e entry) bool {
		if e.value != value {
			return false
		}
		return (e.row.key == after && after != "") || fn(e.row)
	})
}
