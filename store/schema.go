package store

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// AnyTable is implemented by *Table[T] only.
type AnyTable interface {
	Name() string
	tableCore() *core
}

// Schema lists the tables that a store serves; given to Open.
type Schema []AnyTable

// core is a table without its type parameter.
type core struct {
	name    string
	version int
	fenced  bool
	typ     reflect.Type
	upgrade func(from int, members map[string]json.RawMessage) error
	fresh   func() any
	key     func(rec any) string
	indexes []*indexCore
}

// layout gives every table of a schema its place in a snapshot.
type layout struct {
	cores  []*core
	byCore map[*core]int
	byName map[string]int
}

func newLayout(s Schema) (*layout, error) {
	l := &layout{byCore: make(map[*core]int, len(s)), byName: make(map[string]int, len(s))}
	for i, t := range s {
		c := t.tableCore()
		if _, dup := l.byName[c.name]; dup {
			return nil, fmt.Errorf("store: schema: two tables are named %q", c.name)
		}
		l.cores = append(l.cores, c)
		l.byCore[c], l.byName[c.name] = i, i
	}
	return l, nil
}

func (l *layout) place(c *core) int {
	i, ok := l.byCore[c]
	if !ok {
		panic("store: table " + c.name + " is not in the schema of this store")
	}
	return i
}

// Types lists the record type and version of every table by name, for tests that guard stored formats.
func (s Schema) Types() map[string]StoredType {
	out := make(map[string]StoredType, len(s))
	for _, t := range s {
		c := t.tableCore()
		out[c.name] = StoredType{Type: c.typ, Version: c.version}
	}
	return out
}

// StoredType is the Go type and the version "V" of a table's records.
type StoredType struct {
	Type    reflect.Type
	Version int
}
