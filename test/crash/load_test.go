package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/smithy-go"

	"github.com/berth-ecs/berth/test/rounds"
)

// load calls the region from several workers, each with objects of its own, so that what a worker was last answered of an
// object is what must be seen of it.
type load struct {
	w       *world
	round   int
	ops     atomic.Int64
	news    chan struct{} // a count was reached by somebody; buffered
	stop    context.CancelFunc
	ctx     context.Context
	workers sync.WaitGroup
}

// pace is the longest wait of a worker between two operations: a region of two cores starts some ten containers a second.
const pace = 120

func (w *world) startLoad(seed uint64, round int) *load {
	l := &load{w: w, round: round, news: make(chan struct{}, 1)}
	l.ctx, l.stop = context.WithCancel(w.t.Context())
	for n, step := range []func(*rand.Rand){l.serviceStep, l.taskStep, l.balancerStep} {
		r := rounds.Source(seed, round, uint64(10+n))
		l.workers.Go(func() {
			for l.ctx.Err() == nil {
				step(r)
				rounds.Wait(l.ctx, rounds.Millis(r, 0, pace))
			}
		})
	}
	return l
}

// until waits until the load has begun n more operations.
func (l *load) until(n int) {
	goal := l.ops.Load() + int64(n)
	for l.ops.Load() < goal {
		select {
		case <-l.news:
		case <-l.ctx.Done():
			return
		}
	}
}

// end lets the workers finish what they began. What they began they bring to an answer.
func (l *load) end() {
	l.stop()
	l.workers.Wait()
}

// answer is what became of a call.
type answer int

const (
	acknowledged answer = iota
	refused             // with an error of the API: nothing was changed
	lost                // nobody knows whether it happened
)

// call makes one call. A lost answer has an excuse only if the server was killed.
func (l *load) call(what string, f func(context.Context) error) (answer, error) {
	l.ops.Add(1)
	select {
	case l.news <- struct{}{}:
	default:
	}
	life := l.w.serverLife.Load()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), 20*time.Second)
	defer cancel()
	err := f(ctx)
	var api smithy.APIError
	switch {
	case err == nil:
		return acknowledged, nil
	case errors.As(err, &api) && api.ErrorFault() != smithy.FaultServer && api.ErrorCode() != "ServerException":
		return refused, err
	case errors.Is(err, net.ErrClosed):
		// The client closed its own end while it read an answer. That was seen once in many rounds, with a server that lived and had
		// answered; why net/http did it is not known. What was lost is treated as lost, and what is described later still has to be right.
		return lost, err
	case life%2 == 0 && l.w.serverLife.Load() == life:
		l.w.book.find("%s failed though the server was not killed: %v", what, err)
	}
	return lost, err
}

// must repeats a call until it is answered. It is for calls that may be made twice.
func (l *load) must(what string, f func(context.Context) error) error {
	for begun := time.Now(); ; {
		got, err := l.call(what, f)
		if got != lost {
			return err
		}
		if time.Since(begun) > time.Minute {
			return fmt.Errorf("%s was not answered for a minute: %w", what, err)
		}
		rounds.Wait(context.WithoutCancel(l.ctx), 30*time.Millisecond)
	}
}
