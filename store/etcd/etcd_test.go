package etcd_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
)

type note struct {
	Name string
	N    int
}

var notes = store.Define(store.Def[note]{Name: "note", Version: 1, Key: func(n *note) string { return store.Installation().Key(n.Name) }})

func TestSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	open := func() *etcd.Store {
		start := time.Now()
		s, err := etcd.Open(t.Context(), etcd.Config{Schema: store.Schema{notes}, DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("opened in %v", time.Since(start))
		return s
	}
	s := open()
	for i := range 50 {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			return notes.Create(tx, &note{Name: fmt.Sprintf("n%02d", i), N: i})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer s.Close()
	n := 0
	_ = s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		for range notes.List(tx, store.Installation().Prefix(), "") {
			n++
		}
		return nil
	})
	if n != 50 {
		t.Fatalf("%d records after reopening", n)
	}
}
