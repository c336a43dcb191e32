// Package vigil tells a shim that hangs from one that is busy.
//
// What is guaranteed:
//
//   - A shim is given up only while something waits for it, and only when it has answered nothing for the whole of the patience there is with it.
//   - Its silence is remembered from one who waits to the next: one who gives up and asks again does not begin anew.
//   - One answer is enough to be taken for busy.
package vigil

import (
	"context"
	"sync"
	"time"
)

const (
	every  = 2 * time.Second // what waits for less costs nothing
	forget = time.Minute     // a silence that nobody heard for so long was another
)

// Vigil is over the shims of an installation.
type Vigil struct {
	// Answers asks the shim of a container for it, and says whether it answered or is gone. Required; it returns soon.
	Answers func(ctx context.Context, container string) bool
	// End ends it, with what hangs with it. Required.
	End func(ctx context.Context, container string)

	mu     sync.Mutex
	silent map[string]silence
}

type silence struct{ since, last time.Time }

// Keep watches the shim of a container until stop is called, which waits for what it has begun.
func (v *Vigil) Keep(ctx context.Context, container string, patience time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var over sync.WaitGroup
	over.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			v.look(ctx, container, patience)
		}
	})
	return func() {
		cancel()
		over.Wait()
	}
}

func (v *Vigil) look(ctx context.Context, container string, patience time.Duration) {
	asked := time.Now()
	answered := v.Answers(ctx, container)
	if ctx.Err() != nil && !answered {
		return // it was not waited for
	}
	if v.note(container, answered, asked) >= patience {
		v.End(ctx, container)
		v.note(container, true, asked)
	}
}

// note answers how long the container's shim has been silent.
func (v *Vigil) note(container string, answered bool, asked time.Time) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	if answered {
		delete(v.silent, container)
		return 0
	}
	s, ok := v.silent[container]
	if !ok || asked.Sub(s.last) > forget {
		s.since = asked
	}
	s.last = time.Now()
	if v.silent == nil {
		v.silent = map[string]silence{}
	}
	v.silent[container] = s
	return s.last.Sub(s.since)
}
