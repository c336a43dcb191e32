package storetest

import (
	"encoding/json"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/store"
)

// The same table as an older and a newer program see it.
type oldThing struct {
	ID    string
	N     int
	Inner oldInner
	Parts []oldInner
	ByKey map[string]oldInner
}

type oldInner struct {
	Name string
}

type newThing struct {
	ID    string
	N     int
	Extra string
	Inner newInner
	Parts []newInner
	ByKey map[string]newInner
}

type newInner struct {
	Name  string
	Added []int
}

var (
	oldThings = store.Define(store.Def[oldThing]{Name: "test.thing", Version: 1, Key: func(t *oldThing) string { return scope.Key(t.ID) }})
	newThings = store.Define(store.Def[newThing]{
		Name: "test.thing", Version: 2, Key: func(t *newThing) string { return scope.Key(t.ID) },
		Upgrade: func(_ int, m map[string]json.RawMessage) error {
			if _, ok := m["Extra"]; !ok {
				m["Extra"] = json.RawMessage(`"upgraded"`)
			}
			return nil
		},
	})
)

var upgradeChecks = []check{
	{"members of a newer program survive an older one", func(k *kit) {
		older, newer := k.server(store.Schema{oldThings}), k.server(store.Schema{newThings})
		want := &newThing{
			ID: "t", N: 1, Extra: "kept", Inner: newInner{"inner", []int{1}},
			Parts: []newInner{{"a", []int{2}}, {"b", []int{3}}, {"c", []int{4}}},
			ByKey: map[string]newInner{"k": {"v", []int{5}}},
		}
		k.do(newer, func(tx store.Tx) { newThings.Put(tx, want) })
		k.do(older, func(tx store.Tx) {
			was, ok := oldThings.Get(tx, scope.Key("t"))
			if !ok {
				k.see(older, store.Fresh, func(store.Tx) {})
				was, _ = oldThings.Get(tx, scope.Key("t"))
			}
			if was == nil {
				return // not here yet: the absence is guarded, so this runs again
			}
			next := *was
			next.N = 2
			next.Parts = []oldInner{was.Parts[2], was.Parts[0]}
			oldThings.Put(tx, &next)
		})
		next := *want
		next.N, next.Parts = 2, []newInner{want.Parts[2], want.Parts[0]}
		k.see(newer, store.Fresh, func(tx store.Tx) {
			got, _ := newThings.Get(tx, scope.Key("t"))
			if d := cmp.Diff(&next, got); d != "" {
				k.Error(d)
			}
		})
	}},
	{"an older record is upgraded when it is read", func(k *kit) {
		older, newer := k.server(store.Schema{oldThings}), k.server(store.Schema{newThings})
		k.do(older, func(tx store.Tx) { oldThings.Put(tx, &oldThing{ID: "t", N: 1}) })
		k.see(newer, store.Fresh, func(tx store.Tx) {
			if got, ok := newThings.Get(tx, scope.Key("t")); !ok || got.Extra != "upgraded" {
				k.Errorf("%+v", got)
			}
		})
	}},
	{"tables of another program are left alone", func(k *kit) {
		k.do(k.a, put("x", 1))
		other := k.server(store.Schema{oldThings})
		k.do(other, func(tx store.Tx) { oldThings.Put(tx, &oldThing{ID: "t"}) })
		k.see(k.b, store.Fresh, func(tx store.Tx) {
			if value(tx, "x") != 1 {
				k.Error("lost")
			}
		})
	}},
}
