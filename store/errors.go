package store

import (
	"errors"
	"fmt"
)

var (
	// ErrExists is wrapped by Create when the key is taken.
	ErrExists = errors.New("store: record exists")
	// ErrTooLarge is matched by every *TooLargeError.
	ErrTooLarge = errors.New("store: transaction too large")
	// ErrConflict is wrapped when ctx ended before an Update got through against other writers; nothing was written.
	ErrConflict = errors.New("store: conflict")
	// ErrClosed answers every call after Close.
	ErrClosed = errors.New("store: closed")
	// ErrNotLeader answers an Update of a Lead's store after leadership was lost; nothing was written.
	ErrNotLeader = errors.New("store: not leader")
	// ErrUncertain is wrapped when the outcome of an Update is unknown: it was sent, no answer came in time.
	ErrUncertain = errors.New("store: outcome unknown")
	// ErrNoSpace is wrapped when the backing store refuses writes until it is compacted or given more room.
	ErrNoSpace = errors.New("store: no space")
	// ErrUnreadable is wrapped when a stored record does not fit this program. The store ends: going on without the record
	// would decide wrongly.
	ErrUnreadable = errors.New("store: record cannot be read")
)

// TooLargeError says which limit of one Update was passed.
type TooLargeError struct {
	Guards, Writes, Bytes int
}

// Error names the counts beside their limits.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("store: transaction too large: %d guards (at most %d), %d writes (at most %d), %d bytes (at most %d)",
		e.Guards, MaxGuards, e.Writes, MaxWrites, e.Bytes, MaxBytes)
}

// Is makes errors.Is(err, ErrTooLarge) true.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }
