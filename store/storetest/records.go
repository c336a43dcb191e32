package storetest

import (
	"fmt"
	"iter"

	"github.com/berth-ecs/berth/store"
)

// item is the suite's record.
type item struct {
	ID   string
	N    int
	Tags []string `json:",omitempty"`
}

// name is a record of a fenced table.
type name struct {
	ID string
}

var (
	scope  = store.Regional("111122223333", "eu-west-1")
	items  = store.Define(store.Def[item]{Name: "test.item", Version: 1, Key: func(i *item) string { return scope.Key(i.ID) }})
	byTag  = store.NewIndex(items, "tag", func(i *item) []string { return i.Tags })
	names  = store.Define(store.Def[name]{Name: "test.name", Version: 1, Fenced: true, Key: func(n *name) string { return scope.Key(n.ID) }})
	schema = store.Schema{items, names}
)

func put(id string, n int, tags ...string) func(store.Tx) {
	return func(tx store.Tx) { items.Put(tx, &item{ID: id, N: n, Tags: tags}) }
}

// value is N of an item, -1 when absent; guarded in an Update.
func value(tx store.Tx, id string) int {
	if i, ok := items.Get(tx, scope.Key(id)); ok {
		return i.N
	}
	return -1
}

// ids renders a listing as "id=n" in the order it came.
func ids(seq iter.Seq2[string, *item]) []string {
	out := []string{}
	for k, i := range seq {
		if k != scope.Key(i.ID) {
			out = append(out, "wrong key "+k)
		}
		out = append(out, fmt.Sprintf("%s=%d", i.ID, i.N))
	}
	return out
}

func all(tx store.Tx) []string { return ids(items.List(tx, scope.Prefix(), "")) }
