// Package mem keeps a store in memory: for tests, simulations and tools. It keeps every guarantee of package store
// except durability, works inside testing/synctest bubbles, and starts no goroutine of its own.
//
// Several servers over one key space are made with Join. Faults makes rare events common: conflicts, a feed that lags,
// lost watches.
package mem

import (
	"context"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/store"
)

// Options are optional inputs.
type Options struct {
	Now    func() time.Time // time.Now
	NewID  func() string    // 128 random bits
	Faults Faults
	// Backend and Sink wrap the two ends of this server, for faults of other kinds.
	Backend func(store.Backend) store.Backend
	Sink    func(store.Sink) store.Sink
}

// Faults injects what a real store does rarely. A nil function never does it.
type Faults struct {
	// Conflict makes a commit answer that a guard did not hold, without looking.
	Conflict func(store.Txn) bool
	// Delay runs before each commit and each linearizable read; it may wait or fail.
	Delay func(ctx context.Context) error
	// LoseWatch makes the feed drop its position after a commit: subscribers get a Resync.
	LoseWatch func(revision int64) bool
}

// Store is one server's view of a key space in memory.
type Store struct {
	*store.Engine
	server *server
}

// Open makes an empty key space with one server.
func Open(s store.Schema, o Options) *Store { return join(newSpace(), s, o) }

// Join adds another server to the same key space, with its own snapshot, feed and faults.
func (m *Store) Join(s store.Schema, o Options) *Store { return join(m.server.space, s, o) }

// join panics on a wrong schema: it is a programming error, as in a table's declaration.
func join(sp *space, s store.Schema, o Options) *Store {
	e, err := store.NewEngine(s, store.Options{Now: o.Now, NewID: o.NewID})
	if err != nil {
		panic(err)
	}
	srv := &server{space: sp, sink: e, faults: o.Faults}
	if o.Sink != nil {
		srv.sink = o.Sink(e)
	}
	if o.Backend != nil {
		e.Start(o.Backend(srv))
	} else {
		e.Start(srv)
	}
	if err := sp.attach(srv); err != nil {
		panic(fmt.Sprintf("mem: the key space holds what this schema cannot read: %v", err))
	}
	return &Store{Engine: e, server: srv}
}

// Pause holds back the feed of this server: its snapshot stays, as on a server that lags.
func (m *Store) Pause() { m.server.pause(true) }

// Resume delivers what Pause held back and everything after.
func (m *Store) Resume() { m.server.pause(false) }
