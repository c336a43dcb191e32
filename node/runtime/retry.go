package runtime

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
)

const (
	retries    = 5
	retryDelay = 50 * time.Millisecond
)

// again repeats an idempotent verb that containerd's death cut off. The next
// call waits until its successor answers.
func again(ctx context.Context, verb func() error) error {
	var err error
	for range retries {
		if err = verb(); !errdefs.IsUnavailable(err) || !pause(ctx, retryDelay) {
			return err
		}
	}
	return err
}

// Unavailable says that err is no answer: containerd was away. What was asked may be asked again.
func Unavailable(err error) bool { return errdefs.IsUnavailable(err) }

// pause waits for d and reports whether ctx still runs.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
