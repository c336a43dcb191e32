package engine

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// saveRetry is how long a failed write waits before it is tried again.
const saveRetry = time.Second

// saveAll writes what changed until ctx ends, and once more then. Tasks that change at the same time share a write.
func (e *Engine) saveAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			if err := e.save(); err != nil {
				e.log.Error("cannot write task records at the end; the next process looks at what is there", "error", err)
			}
			return
		case <-e.dirty:
		}
		if err := e.save(); err != nil {
			e.log.Error("cannot write task records; tasks wait for it", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(saveRetry):
				signal(e.dirty)
			}
		}
	}
}

// save writes one batch and lets go on what waited for it. A record that cannot be made holds up its own task only.
func (e *Engine) save() error {
	records, revs := map[string][]byte{}, map[string]int64{}
	var bad, err error
	e.update(func() {
		for arn := range e.unsaved {
			if t, ok := e.tasks[arn]; ok {
				b, err := t.encode()
				if err != nil {
					bad = errors.Join(bad, fmt.Errorf("task record %s: %w", arn, err))
					continue
				}
				records[arn], revs[arn] = b, t.rev
			}
			delete(e.unsaved, arn)
		}
	})
	if len(records) > 0 {
		err = e.cfg.Store.Save(records)
	}
	e.update(func() {
		for arn, rev := range revs {
			t := e.tasks[arn]
			if err != nil {
				e.unsaved[arn] = true
			} else if t != nil {
				t.saved = rev
				e.advance(t)
			}
		}
		e.release()
	})
	return errors.Join(bad, err)
}

// release ends the calls whose revision is on disk.
func (e *Engine) release() {
	left := e.waiters[:0]
	for _, w := range e.waiters {
		if w.t.saved >= w.rev {
			close(w.done)
		} else {
			left = append(left, w)
		}
	}
	e.waiters = left
}

// onDisk waits until everything known of t by now is on disk. The state is held when it is called.
func (e *Engine) onDisk(t *Task) <-chan struct{} {
	done := make(chan struct{})
	if t.saved >= t.rev {
		close(done)
		return done
	}
	e.waiters = append(e.waiters, waiter{t, t.rev, done})
	return done
}
