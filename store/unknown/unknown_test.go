package unknown_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/store/unknown"
)

type leaf struct {
	A int `json:"a,omitempty"`
}

type record struct {
	Name string          `json:"name,omitempty"`
	Leaf leaf            `json:"leaf,omitzero"`
	Ptr  *leaf           `json:"ptr,omitempty"`
	List []leaf          `json:"list,omitempty"`
	Map  map[string]leaf `json:"map,omitempty"`
}

func TestMerge(t *testing.T) {
	for name, c := range map[string]struct {
		stored string
		change func(*record)
		want   string
	}{
		"nothing unknown":                   {`{"name":"n"}`, func(r *record) { r.Name = "m" }, `{"name":"m"}`},
		"a member":                          {`{"name":"n","x":1}`, func(r *record) { r.Name = "m" }, `{"name":"m","x":1}`},
		"in an object whose rest is zero":   {`{"leaf":{"x":1}}`, func(r *record) { r.Name = "m" }, `{"name":"m","leaf":{"x":1}}`},
		"in an object that became zero":     {`{"leaf":{"a":1,"x":1}}`, func(r *record) { r.Leaf = leaf{} }, `{}`},
		"behind a pointer":                  {`{"ptr":{"x":1}}`, func(r *record) { r.Ptr = &leaf{A: 2} }, `{"ptr":{"a":2,"x":1}}`},
		"behind a pointer that was removed": {`{"ptr":{"a":1,"x":1}}`, func(r *record) { r.Ptr = nil }, `{}`},
		"in a list that grew at its head":   {`{"list":[{"a":1,"x":1}]}`, func(r *record) { r.List = []leaf{{A: 0}, {A: 1}} }, `{"list":[{},{"a":1,"x":1}]}`},
		"in equal elements":                 {`{"list":[{"x":1},{"x":2}]}`, func(r *record) { r.Name = "m" }, `{"name":"m","list":[{"x":1},{"x":2}]}`},
		"in a map":                          {`{"map":{"k":{"x":1}}}`, func(r *record) { r.Map = map[string]leaf{"k": {A: 1}, "l": {}} }, `{"map":{"k":{"a":1,"x":1},"l":{}}}`},
		"names differ in case only":         {`{"NAME":"n","x":1}`, func(*record) {}, `{"name":"n","x":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			var r record
			if err := json.Unmarshal([]byte(c.stored), &r); err != nil {
				t.Fatal(err)
			}
			was, _ := json.Marshal(r)
			u, err := unknown.Collect(json.RawMessage(c.stored), reflect.TypeFor[record]())
			if err != nil {
				t.Fatal(err)
			}
			c.change(&r)
			got, _ := json.Marshal(r)
			if u != nil {
				if got, err = u.Merge(was, got); err != nil {
					t.Fatal(err)
				}
			}
			var want, have any
			_, _ = json.Unmarshal([]byte(c.want), &want), json.Unmarshal(got, &have)
			if d := cmp.Diff(want, have); d != "" {
				t.Error(d)
			}
		})
	}
}
