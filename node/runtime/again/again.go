// Package again repeats what containerd's death cut off.
//
// Guarantees: only an error that is no answer (errdefs.IsUnavailable) is tried again, a fixed number of times; the last error is the caller's.
package again

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
)

const (
	retries = 5
	delay   = 50 * time.Millisecond
)

// Do repeats an idempotent verb. The next call waits until containerd's successor answers.
func Do(ctx context.Context, verb func() error) error {
	var err error
	for range retries {
		if err = verb(); !errdefs.IsUnavailable(err) || !Pause(ctx, delay) {
			return err
		}
	}
	return err
}

// Pause waits for d and reports whether ctx still runs.
func Pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
