package mem_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

type note struct {
	Name string
	Tags []string `json:",omitempty"`
}

func TestRoundTrip(t *testing.T) {
	notes := store.Define(store.Def[note]{Name: "note", Version: 1, Key: func(n *note) string { return store.Installation().Key(n.Name) }})
	byTag := store.NewIndex(notes, "tag", func(n *note) []string { return n.Tags })
	s := mem.Open(store.Schema{notes}, mem.Options{})
	sub := s.Watch(t.Context(), "note")
	if b, err := sub.Next(t.Context()); err != nil || !b.Resync {
		t.Fatalf("first batch: %+v, %v", b, err)
	}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		notes.Put(tx, &note{Name: "b", Tags: []string{"x"}})
		return notes.Create(tx, &note{Name: "a", Tags: []string{"x", "y", "x"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	err = s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		for k := range byTag.List(tx, "x", "") {
			names = append(names, k)
		}
		if n := byTag.Count(tx, "x"); n != 2 {
			t.Errorf("count: %d", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"i/a", "i/b"}, names); d != "" {
		t.Error(d)
	}
	b, err := sub.Next(t.Context())
	if err != nil || b.Resync || len(b.Changes) != 2 {
		t.Fatalf("second batch: %+v, %v", b, err)
	}
	err = s.Update(t.Context(), func(tx store.Tx) error { return notes.Create(tx, &note{Name: "a"}) })
	if !errors.Is(err, store.ErrExists) {
		t.Fatalf("create twice: %v", err)
	}
}
