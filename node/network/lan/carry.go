package lan

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// queued is how many frames are under way at most, one way; then they are lost, as in a switch.
const queued = 4096

// frameBytes holds the largest frame of a link.
const frameBytes = 9216 + 18

// frame is one that is under way.
type frame struct {
	data []byte
	due  time.Time
}

// carry takes frames from one side to the other until either is closed.
func (r *Relay) carry(from io.Reader, to io.Writer) {
	way := make(chan frame, queued)
	gone := make(chan struct{})
	go func() { defer close(gone); deliver(way, to) }()
	r.accept(from, way)
	close(way)
	<-gone
}

// accept reads frames and says when each is due.
func (r *Relay) accept(from io.Reader, way chan<- frame) {
	room := make([]byte, frameBytes)
	var last time.Time
	for {
		n, err := from.Read(room)
		if err != nil {
			return // closed
		}
		due, ok := r.shape.Load().due(time.Now(), last, rand.Float64)
		if !ok {
			continue
		}
		last = due
		select {
		case way <- frame{append([]byte(nil), room[:n]...), due}:
		default:
		}
	}
}

// due says when a frame that came now is to be delivered, not before the last one, and whether it is at all.
func (s Shape) due(now, last time.Time, chance func() float64) (time.Time, bool) {
	if s.Loss > 0 && chance()*100 < s.Loss {
		return last, false
	}
	due := now.Add(s.Delay)
	if s.Jitter > 0 {
		due = due.Add(time.Duration(chance() * float64(s.Jitter)))
	}
	if due.Before(last) {
		due = last
	}
	return due, true
}

// deliver writes frames when they are due. Once the other side is closed it only empties the way.
func deliver(way <-chan frame, to io.Writer) {
	closed := false
	for f := range way {
		if closed {
			continue
		}
		if wait := time.Until(f.due); wait > 0 {
			<-time.After(wait)
		}
		if _, err := to.Write(f.data); errors.Is(err, os.ErrClosed) {
			closed = true // other errors are of a link that is down: the frame is lost
		}
	}
}
