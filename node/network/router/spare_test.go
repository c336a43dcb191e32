package router

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// The next spare is made when none was taken for a while, or at once when none is left: a stream of starts does not hold it up.
func TestWhenTheNextSpareIsMade(t *testing.T) {
	for _, c := range []struct {
		name   string
		have   int
		take   time.Duration // one is taken after so long
		refill bool          // and another put in its place
		want   time.Duration
	}{
		{"none is left", 0, time.Hour, false, 0},
		{"nothing happens", 1, time.Hour, false, spareQuiet},
		{"the last is taken", 1, 100 * time.Millisecond, false, 100 * time.Millisecond},
		{"one of two is taken", 2, 100 * time.Millisecond, false, 100*time.Millisecond + spareQuiet},
		{"what is taken is there again", 1, 100 * time.Millisecond, true, 100*time.Millisecond + spareQuiet},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := nursery{ready: make(chan *spare, 2), taken: make(chan struct{}, 1)}
			for range c.have {
				n.ready <- &spare{}
			}
			began := time.Now()
			taking := time.AfterFunc(c.take, func() {
				if c.refill {
					n.ready <- &spare{}
				}
				n.take()
			})
			n.rest(t.Context())
			taking.Stop()
			if got := time.Since(began); got != c.want {
				t.Errorf("%s: after %v, want %v", c.name, got, c.want)
			}
		})
	}
}

func TestNoSpareAfterTheEnd(t *testing.T) {
	n := nursery{ready: make(chan *spare, 1), taken: make(chan struct{}, 1)}
	n.ready <- &spare{}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	n.rest(ctx)
	if n.take() == nil || n.take() != nil {
		t.Error("there is not one")
	}
}
