package region

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/internal/ready"
)

func TestTheReadinessPageSaysThatThereIsNoMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var state ready.State
		state.Done(part)
		var led atomic.Bool
		go func() { _ = watch{func(context.Context) bool { return led.Load() }, noMajority}.run(ctx, &state) }()
		after := func(d time.Duration, want string) {
			t.Helper()
			time.Sleep(d) // of the bubble's clock
			synctest.Wait()
			if got := state.Report().Waiting[majorityPart]; got != want {
				t.Errorf("waits for %q, not for %q", got, want)
			}
		}
		after(2500*time.Millisecond, "") // an election
		led.Store(true)
		after(5*time.Second, "")
		led.Store(false)
		after(10*time.Second, noMajority)
		led.Store(true)
		after(2*time.Second, "")
		if !state.Report().Ready {
			t.Error("it is not ready again")
		}
	})
}
