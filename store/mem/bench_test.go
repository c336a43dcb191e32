package mem_test

import (
	"fmt"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// benchNote is about as large as a task's status record.
type benchNote struct {
	Name, Cluster, Status string
	N                     int
	Parts                 []benchPart
}

type benchPart struct {
	Name, Image, Status string
}

// BenchmarkUpdate is what the engine costs: mem's commit is a map.
func BenchmarkUpdate(b *testing.B) {
	notes := store.Define(store.Def[benchNote]{Name: "note", Version: 1, Key: func(n *benchNote) string { return store.Installation().Key(n.Name) }})
	store.NewIndex(notes, "cluster", func(n *benchNote) []string { return []string{n.Cluster} })
	s := mem.Open(store.Schema{notes}, mem.Options{})
	defer s.Close()
	const records = 10_000
	update := func(i int) error {
		name := fmt.Sprintf("note-%06d", i*7919%records)
		return s.Update(b.Context(), func(tx store.Tx) error {
			next := benchNote{Name: name, Cluster: "arn:aws:ecs:us-east-1:000000000000:cluster/default", Status: "RUNNING"}
			if n, ok := notes.Get(tx, store.Installation().Key(name)); ok {
				next = *n
			}
			next.N++
			next.Parts = []benchPart{{"one", "registry.example.com/team/service:1.2.3", "RUNNING"}, {"two", "registry.example.com/team/sidecar:1.2.3", "RUNNING"}}
			notes.Put(tx, &next)
			return nil
		})
	}
	for i := range records {
		if err := update(i); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := update(i); err != nil {
			b.Fatal(err)
		}
	}
}
