package runtime

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/again"
)

// spare is a shim that runs before a task wants it, so that the next task need
// not wait for one. It lies in a directory of its own, which becomes the task's
// by a rename: at any moment, whoever is killed, a shim belongs to the directory
// it works in, and a spare one that another process left is used or removed.
type spare struct {
	mu     sync.Mutex    // held while it is made, taken or dropped
	wanted chan struct{} // one token
	ended  chan struct{} // closed when nobody makes one any more; nil when nobody ever did
	closed bool          // none may be made
}

// spareName is the directory of the spare shim, beside those of tasks.
const spareName = "spare"

// spareDelay leaves the processor to the container whose start made a spare shim
// wanted: its first instruction comes after the start's answer.
const spareDelay = 10 * time.Millisecond

// keepSpare makes a spare shim whenever one is wanted, until life ends.
func (r *Runtime) keepSpare(life context.Context) {
	r.spare.ended = make(chan struct{})
	go func() {
		defer close(r.spare.ended)
		for {
			select {
			case <-life.Done():
				return
			case <-r.spare.wanted:
			}
			if !again.Pause(life, spareDelay) {
				return
			}
			if err := r.makeSpare(life); err != nil && life.Err() == nil {
				r.log.Warn("no spare shim; the next task waits for its own", "error", err)
			}
		}
	}()
}

// wantSpare asks for a spare shim, and for a sandbox if tasks want those; the caller does not wait for it.
func (r *Runtime) wantSpare() {
	if r.boxes != nil {
		r.boxes.Nudge()
	}
	select {
	case r.spare.wanted <- struct{}{}:
	default:
	}
}

func (r *Runtime) makeSpare(ctx context.Context) error {
	r.spare.mu.Lock()
	defer r.spare.mu.Unlock()
	if _, ok := r.c.shims().Answering(spareName); ok || r.spare.closed {
		return nil
	}
	if err := r.c.shims().Stop(ctx, spareName); err != nil { // what is left of one
		return err
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	_, err := r.newShim(ctx, spareName, hex.EncodeToString(id[:]))
	return err
}

// takeSpare makes the spare shim the task's; false when there is none now, or the
// task had a shim before.
func (r *Runtime) takeSpare(task string) (address string, ok bool) {
	if r.spare.ended == nil || !r.spare.mu.TryLock() { // one that is being made takes as long as another
		return "", false
	}
	defer r.spare.mu.Unlock()
	shims := r.c.shims()
	address, ok = shims.Answering(spareName)
	ok = ok && os.Rename(shims.Path(spareName), shims.Path(task)) == nil
	failpoint.Hit(failpoint.SpareTaken)
	return address, ok
}

// dropSpare removes the spare shim for good.
func (r *Runtime) dropSpare(ctx context.Context) error {
	r.spare.mu.Lock()
	defer r.spare.mu.Unlock()
	r.spare.closed = true
	if err := r.c.shims().Stop(ctx, spareName); err != nil {
		return fmt.Errorf("spare shim: %w", err)
	}
	return nil
}
