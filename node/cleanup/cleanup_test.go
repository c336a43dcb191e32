package cleanup

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/node/runtime"
)

// fake has images of a size each, all as old.
type fake struct {
	left  int
	calls []string
}

func (f *fake) PruneImages(_ context.Context, p runtime.Prune) ([]string, error) {
	f.calls = append(f.calls, fmt.Sprintf("age %v most %d", p.MinimumAge, p.Most))
	var gone []string
	for p.MinimumAge == 0 && f.left > 0 && len(gone) < p.Most {
		f.left--
		gone = append(gone, "image")
	}
	return gone, nil
}

func run(t *testing.T, f *fake, interval, during time.Duration, used func() int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			_ = Run(ctx, Config{Images: f, Interval: interval, MinimumAge: time.Hour, Most: 5, Pressure: 85, Log: slog.New(slog.DiscardHandler),
				Used: func() (int, error) { return used(), nil }})
		})
		<-time.After(during)
		synctest.Wait()
		cancel()
		done.Wait()
	})
}

func TestCycles(t *testing.T) {
	f := &fake{left: 10}
	run(t, f, 30*time.Minute, 61*time.Minute, func() int { return 50 })
	if len(f.calls) != 2 || f.calls[0] != "age 1h0m0s most 5" {
		t.Errorf("%v", f.calls)
	}
}

func TestOff(t *testing.T) {
	f := &fake{left: 10}
	run(t, f, 0, 24*time.Hour, func() int { return 99 })
	if len(f.calls) != 0 {
		t.Errorf("%v", f.calls)
	}
}

func TestPressure(t *testing.T) {
	f := &fake{left: 20}
	run(t, f, 30*time.Minute, 90*time.Second, func() int { return 75 + f.left }) // each image is a percent
	if f.left != 5 {                                                             // five at a time, until it is below 85
		t.Errorf("%d left: %v", f.left, f.calls)
	}
	f = &fake{left: 3}
	run(t, f, 30*time.Minute, 3*time.Minute, func() int { return 99 }) // it ends when nothing is left
	if f.left != 0 || len(f.calls) > 8 {
		t.Errorf("%d left: %v", f.left, f.calls)
	}
}
