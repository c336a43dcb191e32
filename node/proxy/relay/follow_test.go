package relay

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A relay that cannot reach a server waits longer each time, two seconds at most but for what spreads load; it asks at once when its node heard of one.
func TestAServerThatIsBackIsAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan time.Time)
		r := &Relay{bell: make(chan struct{}, 1), back: make(chan struct{}, 1), c: Config{Log: slog.New(slog.DiscardHandler), Stream: func(context.Context) (net.Conn, error) {
			asked <- time.Now()
			return nil, errors.New("nobody is there")
		}}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.follow(ctx) }()
		last := <-asked
		for range 20 {
			now := <-asked
			if wait := now.Sub(last); wait > retryMax*3/2 {
				t.Errorf("it waits for %s", wait)
			}
			last = now
		}
		synctest.Wait()
		said := time.Now()
		r.Look()
		if at := <-asked; at != said {
			t.Errorf("it is asked %s after its node heard of a server", at.Sub(said))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
