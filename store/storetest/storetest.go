// Package storetest is the conformance suite of package store: what every implementation guarantees, as checks that run
// against any of them, and wrappers that break one guarantee each, which the checks must notice.
//
//	func TestConformance(t *testing.T) { storetest.Run(t, harness) }
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/berth-ecs/berth/store"
)

// Harness makes key spaces of the implementation under test.
type Harness interface {
	// Space makes an empty key space; whatever it needs is freed by tb.Cleanup.
	Space(tb testing.TB) Space
}

// Space is one key space; each Server is another process's view of it.
type Space interface {
	// Server adds a server. The suite closes it.
	Server(tb testing.TB, s store.Schema, o store.Options) store.Store
	// Depose ends the present leader's term behind its back: its ctx goes on, its guard no longer holds.
	Depose(tb testing.TB)
}

// HarnessFunc makes a Harness of a function.
type HarnessFunc func(tb testing.TB) Space

// Space implements Harness.
func (f HarnessFunc) Space(tb testing.TB) Space { return f(tb) }

// check is one guarantee.
type check struct {
	name string
	run  func(k *kit)
}

func checks() []check {
	var all []check
	for _, part := range [][]check{
		recordChecks, updateChecks, guardChecks, limitChecks, freshChecks, indexChecks, watchChecks, leadChecks, upgradeChecks, historyChecks,
	} {
		all = append(all, part...)
	}
	return all
}

// Run checks every guarantee, each on a key space of its own.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(newKit(t, h))
		})
	}
}

// checkTimeout ends a check that hangs, as a broken implementation makes it.
const checkTimeout = 20 * time.Second

// kit is what a check works with: two servers on one key space.
type kit struct {
	testing.TB
	ctx   context.Context
	space Space
	a, b  store.Store
}

func newKit(tb testing.TB, h Harness) *kit {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), checkTimeout)
	tb.Cleanup(cancel)
	k := &kit{TB: tb, ctx: ctx, space: h.Space(tb)}
	k.a, k.b = k.server(schema), k.server(schema)
	return k
}

func (k *kit) server(s store.Schema) store.Store {
	srv := k.space.Server(k.TB, s, store.Options{})
	k.Cleanup(func() {
		if err := srv.Close(); err != nil {
			k.Errorf("close: %v", err)
		}
	})
	return srv
}

// do is an Update that must succeed.
func (k *kit) do(s store.Store, fn func(tx store.Tx)) {
	k.Helper()
	err := s.Update(k.ctx, func(tx store.Tx) error { fn(tx); return nil })
	if err != nil {
		k.Fatalf("update: %v", err)
	}
}

// see is a View that must succeed.
func (k *kit) see(s store.Store, f store.Freshness, fn func(tx store.Tx)) {
	k.Helper()
	if err := s.View(k.ctx, f, func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		k.Fatalf("view: %v", err)
	}
}
