package clock

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestOffset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer Set(0)
		for _, d := range []time.Duration{0, 3 * time.Minute, -4 * time.Minute} {
			Set(d)
			real := time.Now()
			if got := Now(); got.Sub(real) != d || !got.Round(0).Equal(real.Round(0).Add(d)) {
				t.Errorf("%v off: %v at %v", d, got, real)
			}
			if !Of(real).Equal(Now()) || !Kernel(Now()).Equal(real) {
				t.Errorf("%v off: what another program saw at %v is %v", d, real, Of(real))
			}
			began := Now()
			time.Sleep(time.Second)
			if took := Now().Sub(began); took != time.Second {
				t.Errorf("%v off: a second takes %v", d, took)
			}
		}
		if !Of(time.Time{}).IsZero() || !Kernel(time.Time{}).IsZero() {
			t.Error("never is some time")
		}
	})
}
