package storetest

import (
	"iter"
	"runtime"
	"sync"

	"github.com/berth-ecs/berth/store"
)

// Lagging delivers a feed from a goroutine of its own, a little later, as a network does. Without it an implementation
// whose feed is a function call would hide what goes wrong on a server that is behind. Wait for it before the sink is
// closed with Stop.
type Lagging struct {
	store.Sink
	queue chan func()
	done  chan struct{}
	once  sync.Once
}

// NewLagging wraps a sink.
func NewLagging(s store.Sink) *Lagging {
	l := &Lagging{Sink: s, queue: make(chan func(), 1<<16), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for deliver := range l.queue {
			for range 20 {
				runtime.Gosched()
			}
			deliver()
		}
	}()
	return l
}

// Reset implements store.Sink; it is not delayed, the feed begins with it or has lost its place.
func (l *Lagging) Reset(revision int64, kvs iter.Seq2[store.KV, error]) error {
	caughtUp := make(chan struct{})
	l.queue <- func() { close(caughtUp) }
	<-caughtUp
	return l.Sink.Reset(revision, kvs)
}

// Apply implements store.Sink.
func (l *Lagging) Apply(revision int64, events []store.KV) error {
	l.queue <- func() {
		if err := l.Sink.Apply(revision, events); err != nil {
			l.Fail(err)
		}
	}
	return nil
}

// Stop ends the delivery; the backend has stopped feeding.
func (l *Lagging) Stop() {
	l.once.Do(func() { close(l.queue) })
	<-l.done
}
