package lan

import (
	"bytes"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// Frames keep their order, none is early, and none is later than delay and jitter after it came or the one before it.
func TestDue(t *testing.T) {
	start := time.Unix(1, 0)
	rapid.Check(t, func(t *rapid.T) {
		s := Shape{
			Delay:  time.Duration(rapid.IntRange(0, 1000).Draw(t, "delay")),
			Jitter: time.Duration(rapid.IntRange(0, 1000).Draw(t, "jitter")),
			Loss:   float64(rapid.IntRange(0, 100).Draw(t, "loss")),
		}
		now, last := start, time.Time{}
		for range rapid.IntRange(1, 20).Draw(t, "frames") {
			now = now.Add(time.Duration(rapid.IntRange(0, 500).Draw(t, "gap")))
			chance := rapid.Float64Range(0, 0.999).Draw(t, "chance")
			due, ok := s.due(now, last, func() float64 { return chance })
			if ok == (chance*100 < s.Loss) {
				t.Fatalf("chance %v of %v: passes %v", chance, s.Loss, ok)
			}
			if !ok {
				if !due.Equal(last) {
					t.Fatal("a lost frame holds up the next")
				}
				continue
			}
			latest := now.Add(s.Delay + s.Jitter)
			if latest.Before(last) {
				latest = last
			}
			if due.Before(last) || due.Before(now.Add(s.Delay)) || due.After(latest) {
				t.Fatalf("due %v after %v, the one before %v", due, now, last)
			}
			last = due
		}
	})
}

// line is a link of which the test has the other end.
type line struct {
	io.Reader
	mu   sync.Mutex
	got  []time.Duration
	from time.Time
}

func (l *line) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, time.Since(l.from))
	return len(b), nil
}

// What a shape says holds for the frames that come after it, in virtual time.
func TestFramesAreDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		to := &line{from: time.Now()}
		r := &Relay{}
		r.Set(Shape{Delay: 20 * time.Millisecond})
		done := make(chan struct{})
		go func() { defer close(done); r.carry(in, to) }()
		send := func() { _, _ = out.Write(bytes.Repeat([]byte{1}, 60)) }
		send()
		synctest.Wait()
		time.Sleep(5 * time.Millisecond)
		r.Set(Shape{})
		send() // is not before the first
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		r.Set(Shape{Loss: 100})
		send()
		_ = out.CloseWithError(os.ErrClosed)
		<-done
		if len(to.got) != 2 || to.got[0] != 20*time.Millisecond || to.got[1] != 20*time.Millisecond {
			t.Errorf("frames came after %v", to.got)
		}
	})
}
