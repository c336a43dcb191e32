package store

import (
	"iter"
	"slices"
)

// Index finds records of one table by derived values. Make it with NewIndex.
type Index[T any] struct {
	x *indexCore
}

type indexCore struct {
	c      *core
	name   string
	pos    int
	values func(rec any) []string
}

// NewIndex adds an index to a table, when it is declared: before the schema is opened. values must be a pure function
// of the record; a record appears once under each distinct value.
func NewIndex[T any](t *Table[T], name string, values func(*T) []string) *Index[T] {
	x := &indexCore{c: &t.c, name: name, pos: len(t.c.indexes)}
	x.values = func(rec any) []string { return distinct(values(rec.(*T))) }
	t.c.indexes = append(t.c.indexes, x)
	return &Index[T]{x: x}
}

// List yields the records that have value, in order of record key, with key greater than after. Like Table.List it
// sees the transaction's own writes, and is not guarded unless the table is Fenced.
func (x *Index[T]) List(tx Tx, value, after string) iter.Seq2[string, *T] {
	return func(yield func(string, *T) bool) {
		tx.listIndex(x.x, value, after, func(k string, rec any) bool { return yield(k, rec.(*T)) })
	}
}

// Count is how many records List would yield for value, without walking them.
func (x *Index[T]) Count(tx Tx, value string) int { return tx.countIndex(x.x, value) }

func (x *indexCore) has(rec any, value string) bool {
	if rec == nil {
		return false
	}
	return slices.Contains(x.values(rec), value)
}

// distinct drops repeated values in place of order; value lists are tiny, so a scan beats a map.
func distinct(vs []string) []string {
	for i := 1; i < len(vs); i++ {
		for j := range i {
			if vs[i] == vs[j] {
				return distinctCopy(vs)
			}
		}
	}
	return vs
}

func distinctCopy(vs []string) []string {
	seen := make(map[string]bool, len(vs))
	out := make([]string, 0, len(vs))
	for _, v := range vs {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
