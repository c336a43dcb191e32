package main

import (
	"context"
	"slices"
	"time"
)

// noise measures how late a timer comes while the load runs: what the machine, and everything else on it, adds to every step of a change's way.
type noise struct {
	late []time.Duration
	stop context.CancelFunc
	done chan struct{}
}

func listen(ctx context.Context) *noise {
	ctx, cancel := context.WithCancel(ctx)
	n := &noise{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(n.done)
		for ctx.Err() == nil {
			began := time.Now()
			<-time.After(time.Millisecond)
			n.late = append(n.late, time.Since(began)-time.Millisecond)
		}
	}()
	return n
}

// quantiles ends it: median, 99th percentile and most, in milliseconds.
func (n *noise) quantiles() (p50, p99, most float64) {
	n.stop()
	<-n.done
	slices.Sort(n.late)
	at := func(q float64) float64 { return float64(n.late[int(q*float64(len(n.late)-1))].Microseconds()) / 1e3 }
	return at(0.5), at(0.99), at(1)
}
