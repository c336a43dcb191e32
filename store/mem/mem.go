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

// join panics on a schema that is wrong or cannot read what is there: a programming error, as in a table's declaration.
func join(sp *space, s store.Schema, o Options) *Store {
	m := &Store{server: &server{space: sp, faults: o.Faults}}
	e, err := store.Open(s, store.Options{Now: o.Now, NewID: o.NewID}, func(sink store.Sink) (store.Backend, error) {
		m.server.sink = sink
		if o.Sink != nil {
			m.server.sink = o.Sink(sink)
		}
		var b store.Backend = m.server
		if o.Backend != nil {
			b = o.Backend(b)
		}
		return b, sp.attach(m.server)
	})
	if err != nil {
		panic(fmt.Sprintf("mem: %v", err))
	}
	m.Engine = e
	return m
}

// Pause holds back the feed of this server: its snapshot stays, as on a server that lags.
func (m *Store) Pause() { m.server.pause(true) }

// Resume delivers what Pause held back and everything after.
func (m *Store) Resume() { m.server.pause(false) }

// Depose ends the present leader's term without telling it, as a server that was cut off is not told.
func (m *Store) Depose() {
	sp := m.server.space
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.deliver(sp.commit([]store.Write{{Key: leaderKey, Value: []byte("nobody")}}))
}
