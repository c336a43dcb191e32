// Package pending is for work that one does and many wait for.
//
// Guarantee: whoever waits learns how it ended, however late it asks, or that its own time is over.
package pending

import "context"

// Work is such work. Make it by New.
type Work struct {
	done chan struct{}
	err  error // once done
}

// New is work that is not over.
func New() *Work { return &Work{done: make(chan struct{})} }

// End says how it ended; once.
func (w *Work) End(err error) {
	w.err = err
	close(w.done)
}

// Wait answers how it ended.
func (w *Work) Wait(ctx context.Context) error {
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Over waits until it ended, well or not.
func (w *Work) Over(ctx context.Context) error {
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
