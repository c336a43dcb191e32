package tables

import (
	"net/netip"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
)

// half opens a store with a /16 that is half full.
func half(b *testing.B) *mem.Store {
	b.Helper()
	s := mem.Open(Schema(), mem.Options{})
	b.Cleanup(func() { _ = s.Close() })
	network(b, s, "10.0.0.0/16")
	first, n := vpc.Usable(netip.MustParsePrefix("10.0.0.0/16"))
	for i := uint64(0); i < n; {
		must(b, s.Update(b.Context(), func(tx store.Tx) error {
			for end := min(n, i+160); i < end; i += 2 {
				Addresses.Put(tx, &vpc.Address{Home: home, Subnet: "subnet-0", Addr: vpc.Nth(first, i), Interface: "eni-0"})
			}
			return nil
		}))
	}
	return s
}

// BenchmarkAttach is an interface made and released in a half full /16, each in a transaction of its own beside two plain writes ("plain").
func BenchmarkAttach(b *testing.B) {
	b.Run("interface", func(b *testing.B) {
		s := half(b)
		for b.Loop() {
			i, err := attach(b, s, Spec{Subnet: "subnet-0", Groups: []string{"sg-1"}, Owner: "arn:task"})
			must(b, err)
			must(b, s.Update(b.Context(), func(tx store.Tx) error { Release(tx, home, i.ID); return nil }))
		}
	})
	b.Run("nearly full", func(b *testing.B) {
		s := mem.Open(Schema(), mem.Options{})
		b.Cleanup(func() { _ = s.Close() })
		network(b, s, "10.0.0.0/16")
		first, n := vpc.Usable(netip.MustParsePrefix("10.0.0.0/16"))
		fill(b, s, first, n, map[netip.Addr]bool{vpc.Nth(first, n/3): true})
		for b.Loop() {
			i, err := attach(b, s, Spec{Subnet: "subnet-0", Groups: []string{"sg-1"}, Owner: "arn:task"})
			must(b, err)
			must(b, s.Update(b.Context(), func(tx store.Tx) error { Release(tx, home, i.ID); return nil }))
		}
	})
	b.Run("plain", func(b *testing.B) {
		s := half(b)
		for b.Loop() {
			for range 2 {
				must(b, s.Update(b.Context(), func(tx store.Tx) error {
					Tags.Put(tx, &vpc.Tags{Home: home, Resource: tx.NewID()})
					return nil
				}))
			}
		}
	})
	// What is left when the commit is taken away.
	b.Run("decision", func(b *testing.B) {
		s := half(b)
		for b.Loop() {
			err := s.Update(b.Context(), func(tx store.Tx) error {
				if _, err := Attach(tx, Spec{Home: home, Subnet: "subnet-0", Groups: []string{"sg-1"}, Owner: "arn:task"}); err != nil {
					return err
				}
				return store.ErrConflict
			})
			if err == nil {
				b.Fatal("written")
			}
		}
	})
}
