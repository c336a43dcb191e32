package wire

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// list is a sorted list of keys, as a store hands it out.
func list(keys []string, descending bool) iter.Seq2[string, string] {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	if descending {
		slices.Reverse(keys)
	}
	return func(yield func(string, string) bool) {
		for _, k := range keys {
			if !yield(k, strings.ToUpper(k)) {
				return
			}
		}
	}
}

// However the list changes between two calls, what was there all the time is seen exactly once, in order.
func TestPagesAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-f]{1,3}`)
		stay := rapid.SliceOfNDistinct(key, 0, 20, rapid.ID).Draw(t, "stay")
		descending := rapid.Bool().Draw(t, "descending")
		r := PageRequest{Limit: rapid.IntRange(1, 5).Draw(t, "limit"), Filter: FilterHash("x"), Descending: descending}
		var got []string
		for range 100 {
			coming := rapid.SliceOfDistinct(key, rapid.ID).Draw(t, "others")
			now := slices.Compact(slices.Sorted(slices.Values(slices.Concat(stay, coming))))
			page, next, err := Page(r, list(now, descending))
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page {
				if slices.Contains(stay, strings.ToLower(item)) {
					got = append(got, strings.ToLower(item))
				}
			}
			if next == nil {
				break
			}
			r.Token = next
		}
		want := slices.Sorted(slices.Values(stay))
		if descending {
			slices.Reverse(want)
		}
		if !slices.Equal(got, want) && len(want) < 100 {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestPageRefuses(t *testing.T) {
	items := list([]string{"a", "b", "c"}, false)
	_, next, err := Page(PageRequest{Limit: 2, Filter: "f"}, items)
	if err != nil || next == nil {
		t.Fatal(next, err)
	}
	tampered := (*next)[:len(*next)-1] + "x"
	garbage, empty := "!", ""
	var zero, many int32 = 0, 3
	for name, r := range map[string]PageRequest{
		"another filter": {Token: next, Filter: "g"}, "tampered": {Token: &tampered, Filter: "f"}, "garbage": {Token: &garbage, Filter: "f"},
		"none": {Max: &zero, Filter: "f"}, "too many": {Max: &many, Filter: "f"},
	} {
		r.Limit = 2
		_, _, err := Page(r, items)
		if _, ok := errors.AsType[*Invalid](err); !ok {
			t.Errorf("%s: error %v", name, err)
		}
	}
	page, next, err := Page(PageRequest{Limit: 3, Filter: "f", Token: &empty}, items)
	if len(page) != 3 || next != nil || err != nil {
		t.Errorf("a page that holds all: %v %v %v", page, next, err)
	}
	if page, _, _ := Page(PageRequest{Limit: 3, Filter: "f"}, list(nil, false)); page == nil {
		t.Error("the page of an empty list is nil, not empty")
	}
}

func TestAfterIsTheLastKey(t *testing.T) {
	r := PageRequest{Limit: 1, Filter: FilterHash("ecs", "ListClusters", 1)}
	_, r.Token, _ = Page(r, list([]string{"a/ü", "b"}, false))
	if after, err := r.After(); after != "a/ü" || err != nil {
		t.Errorf("after %q, %v", after, err)
	}
	if FilterHash("a", "b") == FilterHash("ab") {
		t.Error("two filters have one hash")
	}
}
