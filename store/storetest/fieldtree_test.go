package storetest_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/berth-ecs/berth/store/storetest"
)

type leaf struct {
	A string `json:"a,omitempty"`
	b int
}

type renamed struct {
	X string `json:"a,omitempty"`
}

type tree struct {
	Leaf leaf
	L    []*leaf
	M    map[string]leaf
	T    time.Time
	Next *tree
	Skip int `json:"-"`
}

type treeToo struct {
	Next *treeToo
	Leaf *renamed
	L    []renamed
	M    map[string]renamed
	T    time.Time
}

type wider struct {
	X string `json:"a,omitempty"`
	Y int
}

type retyped struct {
	A int `json:"a,omitempty"`
}

func TestFieldTree(t *testing.T) {
	hash := func(v any) string { return storetest.FieldTree(reflect.TypeOf(v)) }
	if hash(tree{}) != hash(treeToo{}) {
		t.Errorf("the same JSON, other hashes:\n%s\n%s", storetest.FieldTreeText(reflect.TypeFor[tree]()), storetest.FieldTreeText(reflect.TypeFor[treeToo]()))
	}
	for _, v := range []any{wider{}, retyped{}, struct{ A string }{}, tree{}} {
		if hash(v) == hash(leaf{b: 1}) {
			t.Errorf("%T stores differently and has the same hash", v)
		}
	}
}
