package store

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type inner struct {
	Name string
	Tags map[string]string `json:",omitempty"`
}

type base struct {
	Embedded string
}

type doc struct {
	base2
	ID    string
	Inner inner
	List  []inner
	ByKey map[string]inner
	Ptr   *inner          `json:",omitempty"`
	Raw   json.RawMessage `json:",omitempty"`
	Blob  []byte          `json:"blob,omitempty"`
}

type base2 = base

var docs = Define(Def[doc]{Name: "doc", Version: 3, Key: func(d *doc) string { return d.ID }})

// rewrite decodes stored bytes, changes the record and answers the new bytes as a tree.
func rewrite(t *testing.T, stored string, change func(*doc)) map[string]any {
	t.Helper()
	r, err := docs.c.decode(KV{Value: []byte(stored), Mod: 1}, "x")
	if err != nil {
		t.Fatal(err)
	}
	next := *r.rec.(*doc)
	change(&next)
	value, err := docs.c.encode(&next, r)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(value))
}

func parse(t *testing.T, s string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return out
}

func TestUnknownMembersAreKept(t *testing.T) {
	nothing := func(*doc) {}
	for name, c := range map[string]struct {
		stored string
		change func(*doc)
		want   string
	}{
		"top level": {
			`{"V":3,"ID":"x","Embedded":"e","New":[1,{"a":2}]}`, func(d *doc) { d.Embedded = "f" },
			`{"V":3,"ID":"x","Embedded":"f","New":[1,{"a":2}],"Inner":{"Name":""},"List":null,"ByKey":null}`,
		},
		"V last and newer": {
			`{"ID":"x","Embedded":"","Inner":{"Name":"n","New":1},"List":null,"ByKey":null,"V":9}`, func(d *doc) { d.Inner.Name = "m" },
			`{"V":9,"ID":"x","Embedded":"","Inner":{"Name":"m","New":1},"List":null,"ByKey":null}`,
		},
		"list elements move with their known part": {
			`{"V":3,"ID":"x","Embedded":"","Inner":{"Name":""},"List":[{"Name":"a","N":1},{"Name":"b","N":2}],"ByKey":null}`,
			func(d *doc) { d.List = []inner{{Name: "c"}, d.List[1], d.List[0]} },
			`{"V":3,"ID":"x","Embedded":"","Inner":{"Name":""},"List":[{"Name":"c"},{"Name":"b","N":2},{"Name":"a","N":1}],"ByKey":null}`,
		},
		"an edited list element keeps its place": {
			`{"V":3,"ID":"x","Embedded":"","Inner":{"Name":""},"List":[{"Name":"a","N":1},{"Name":"b","N":2}],"ByKey":null}`,
			func(d *doc) { d.List = []inner{{Name: "a2"}, d.List[1]} },
			`{"V":3,"ID":"x","Embedded":"","Inner":{"Name":""},"List":[{"Name":"a2","N":1},{"Name":"b","N":2}],"ByKey":null}`,
		},
		"a removed element takes its part along": {
			`{"V":3,"ID":"x","Embedded":"","Inner":{"Name":""},"List":[{"Name":"a","N":1}],"ByKey":{"k":{"Name":"v","N":1},"l":{"Name":"w","N":2}}}`,
			func(d *doc) { d.List, d.ByKey = nil, map[string]inner{"l": d.ByKey["l"]} },
			`{"V":3,"ID":"x","Embedded":"","Inner":{"Name":""},"List":null,"ByKey":{"l":{"Name":"w","N":2}}}`,
		},
		"pointers, raw members and blobs": {
			`{"V":3,"ID":"x","Embedded":"","Inner":{"Name":""},"List":null,"ByKey":null,"Ptr":{"Name":"p","N":1},"Raw":{"any":1},"blob":"AAEC"}`, nothing,
			`{"V":3,"ID":"x","Embedded":"","Inner":{"Name":""},"List":null,"ByKey":null,"Ptr":{"Name":"p","N":1},"Raw":{"any":1},"blob":"AAEC"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(parse(t, c.want), rewrite(t, c.stored, c.change)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	for name, stored := range map[string]string{
		"not JSON":             `{`,
		"wrong type":           `{"V":3,"ID":5}`,
		"no version":           `{"ID":"x"}`,
		"another key":          `{"V":3,"ID":"y"}`,
		"version not a number": `{"V":"3","ID":"x"}`,
	} {
		if _, err := docs.c.decode(KV{Value: []byte(stored)}, "x"); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// Whatever a newer program wrote, reading and writing it again unchanged changes no member.
func TestRewritingKeepsEverything(t *testing.T) {
	word := rapid.SampledFrom([]string{"a", "b", "c"})
	innerOf := rapid.Custom(func(t *rapid.T) map[string]any {
		m := map[string]any{"Name": word.Draw(t, "name")}
		for _, extra := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"X", "Y", "Z"}), 0, 3, rapid.ID[string]).Draw(t, "extras") {
			m[extra] = rapid.OneOf(rapid.Just[any](nil), rapid.Just[any](1.0), rapid.Just[any](map[string]any{"deep": true})).Draw(t, "value")
		}
		return m
	})
	rapid.Check(t, func(rt *rapid.T) {
		list := []any{}
		for _, e := range rapid.SliceOfN(innerOf, 0, 4).Draw(rt, "list") {
			list = append(list, e)
		}
		byKey := map[string]any{}
		for k, v := range rapid.MapOfN(word, innerOf, 0, 3).Draw(rt, "byKey") {
			byKey[k] = v
		}
		want := map[string]any{"V": 4.0, "ID": "x", "Embedded": "", "Inner": innerOf.Draw(rt, "inner"), "List": list, "ByKey": byKey}
		stored, err := json.Marshal(want)
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(want, rewrite(t, string(stored), func(*doc) {})); d != "" {
			rt.Fatal(d)
		}
	})
}
