package backoff

import (
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	p := Policy{First: 250 * time.Millisecond, Most: 2 * time.Minute, Factor: 1.5, Jitter: 0.2}
	for _, c := range []struct {
		n      int
		random float64
		want   time.Duration
	}{
		{0, 0.5, 250 * time.Millisecond},
		{1, 0.5, 375 * time.Millisecond},
		{0, 0, 200 * time.Millisecond},
		{100000, 0.5, 2 * time.Minute},
		{100000, 0, 96 * time.Second},
	} {
		if got := p.Wait(c.n, c.random); got != c.want {
			t.Errorf("Wait(%d, %v) = %v, want %v", c.n, c.random, got, c.want)
		}
	}
}
