package store

import (
	"context"
	"iter"
)

// Backend is what an implementation provides under an Engine: an ordered key space of bytes.
type Backend interface {
	// Commit applies all writes as one revision if every guard holds, and answers that revision. ok is false when a
	// guard did not hold; revision is then one at which it did not. An error that wraps ErrUncertain leaves the outcome
	// unknown, any other means that nothing was written; ErrNotLeader when t.Leader did not hold.
	Commit(ctx context.Context, t Txn) (revision int64, ok bool, err error)
	// Revision is a linearizable read of the store's revision. The backend makes sure that the Sink reaches it.
	Revision(ctx context.Context) (int64, error)
	// Lead blocks until this server leads, then calls run with the guard that proves it and a ctx that ends with
	// leadership. It competes again when leadership was lost and run has returned; it returns when ctx ends (nil) or when
	// run returns while leading (its error).
	Lead(ctx context.Context, run func(ctx context.Context, leader Guard) error) error
	// Close stops the feed before it returns.
	Close() error
}

// Txn is one guarded transaction.
type Txn struct {
	Leader *Guard // nil: not made by a leader
	Guards []Guard
	Writes []Write
}

// Guard holds when the key was last written at revision Mod; 0 when it is absent.
type Guard struct {
	Key string
	Mod int64
}

// Write replaces the value of a key; a nil Value deletes it.
type Write struct {
	Key   string
	Value []byte
	plain bool // Value is this program's own encoding: our version, nothing unknown in it
}

// KV is a stored key. A nil Value in a feed is a deletion at Mod.
type KV struct {
	Key   string
	Value []byte
	Mod   int64
}

// Sink receives the backend's feed, from one goroutine at a time, in revision order. Keys it does not know are ignored.
// The sink does not keep Value after it returns.
type Sink interface {
	// Reset replaces everything: kvs is all there is at revision. An error from kvs is returned and changes nothing.
	Reset(revision int64, kvs iter.Seq2[KV, error]) error
	// Apply adds every change after the last call up to revision; one revision is never split over two calls. No events
	// is progress.
	Apply(revision int64, events []KV) error
	// Fail ends the store: the feed cannot go on.
	Fail(err error)
}
