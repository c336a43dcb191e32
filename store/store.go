package store

import (
	"context"
	"time"
)

// Freshness says how recent the snapshot of a View must be.
type Freshness int

const (
	// Any is what this server has.
	Any Freshness = iota
	// Fresh is at least the store's revision at the time of the call.
	Fresh
)

// Limits of one Update. Beyond them it fails with a *TooLargeError and writes nothing.
const (
	MaxGuards = 100
	MaxWrites = 100
	MaxBytes  = 512 << 10
)

// Store is the port. It is safe for concurrent use.
type Store interface {
	// View runs fn on an immutable snapshot and returns its error. Writing in it panics.
	View(ctx context.Context, f Freshness, fn func(Tx) error) error
	// Update runs fn, writes what it put with one guarded transaction, runs fn again on conflict, and returns only when
	// this server's snapshot has reached the new revision. An error of fn writes nothing and is returned as is.
	Update(ctx context.Context, fn func(Tx) error) error
	// Watch subscribes to the named tables. The first batch is a Resync that carries a snapshot; then no change is
	// missed; a later Resync may replace any number of batches. An unknown table name panics (programming error).
	Watch(ctx context.Context, tables ...string) Subscription
	// Lead blocks until this server leads, then runs run with a ctx that ends when leadership does and a Store whose
	// Updates carry the leadership guard (ErrNotLeader when it is lost). When leadership is lost and run has returned, it
	// competes again; it returns when ctx ends (nil) or when run returns while leading (its error).
	Lead(ctx context.Context, run func(ctx context.Context, s Store) error) error
	// Close ends every subscription and makes every later call fail with ErrClosed.
	Close() error
}

// Subscription is one reader's stream of batches.
type Subscription interface {
	// Next blocks until there is a batch, ctx ends, or the store closes (ErrClosed). One reader at a time.
	Next(ctx context.Context) (Batch, error)
	// Close frees the subscription; a blocked Next returns ErrClosed.
	Close()
}

// Batch is a step of a Subscription: one or more whole commits.
type Batch struct {
	Revision int64
	Resync   bool // forget what you knew: Changes is empty, read Snapshot
	Changes  []Change
	Snapshot Tx // read-only, at Revision
}

// Change is one record before and after one commit. Old and New are *Record of the table, or nil when absent.
type Change struct {
	Table, Key string
	Old, New   any
	Revision   int64
}

// Tx is sealed: only this package makes one. It is valid inside its callback (a Batch's Snapshot: for as long as it is
// referenced) and used by one goroutine at a time.
type Tx interface {
	// Now is the time of the View or Update, the same in every run; millisecond precision, UTC.
	Now() time.Time
	// NewID answers 32 lower-case hex digits; the n-th call answers the same in every run.
	NewID() string
	// Revision is the revision of the snapshot.
	Revision() int64

	get(c *core, key string, guard bool) (*row, any)
	put(c *core, key string, rec any)
	remove(c *core, key string)
	list(c *core, prefix, after string, yield func(string, any) bool)
	listIndex(x *indexCore, value, after string, yield func(string, any) bool)
	countIndex(x *indexCore, value string) int
}
