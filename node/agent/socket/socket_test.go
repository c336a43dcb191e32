package socket

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/agent/backoff"
)

// pipe is one end of a socket; the test is the other.
type pipe struct {
	in     chan []byte
	end    chan error
	closed chan int
}

func newPipe() *pipe {
	return &pipe{in: make(chan []byte), end: make(chan error, 1), closed: make(chan int, 1)}
}

func (p *pipe) Read(ctx context.Context) ([]byte, error) {
	select {
	case b := <-p.in:
		return b, nil
	case err := <-p.end:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipe) Write(context.Context, []byte) error { return nil }

func (p *pipe) Close(code int, _ string) {
	select {
	case p.closed <- code:
	default:
	}
}

// dialer answers one result after another, and notes when it was asked.
type dialer struct {
	mu      sync.Mutex
	start   time.Time
	results []any // *pipe or error; the last one again and again
	at      []time.Duration
}

func (d *dialer) Dial(context.Context, string) (Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.results[min(len(d.at), len(d.results)-1)]
	d.at = append(d.at, time.Since(d.start))
	if err, ok := r.(error); ok {
		return nil, err
	}
	return r.(*pipe), nil //nolint:forcetypeassert // it is one of two
}

func (d *dialer) dials() []time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.at)
}

func keep(t *testing.T, d *dialer) (frames *[]string) {
	t.Helper()
	d.start = time.Now()
	frames = new([]string)
	k := &Keeper{
		Name: "x", URL: func(context.Context) (string, error) { return "u", nil }, Dialer: d,
		Session: func(ctx context.Context, _ Conn) error { <-ctx.Done(); return nil },
		Receive: func(_ context.Context, _ Conn, b []byte) { *frames = append(*frames, string(b)) },
		Backoff: backoff.Policy{First: time.Second, Most: 4 * time.Second, Factor: 2}, Log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return frames
}

func TestRefusedDialsBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{results: []any{errors.New("no")}}
		keep(t, d)
		time.Sleep(12 * time.Second)
		synctest.Wait()
		want := []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second, 11 * time.Second}
		if diff := cmp.Diff(want, d.dials()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnInactiveInstanceWaitsAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{results: []any{&Refused{Status: 400, Exception: inactive}}}
		keep(t, d)
		time.Sleep(2*time.Hour + time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]time.Duration{0, time.Hour, 2 * time.Hour}, d.dials()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestClosing(t *testing.T) {
	for _, c := range []struct {
		name  string
		heard bool
		err   error
		want  time.Duration // of the next dial
	}{
		{"normal", true, &Closed{Code: 1000}, 0},
		{"going away", true, &Closed{Code: 1001}, 0},
		{"abnormal", true, &Closed{Code: 1006}, 0},
		{"internal error", true, &Closed{Code: 1011}, 0},
		{"another code", true, &Closed{Code: 1008}, time.Second},
		{"no code", true, errors.New("reset"), time.Second},
		{"before a word was said", false, &Closed{Code: 1000}, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := newPipe(), newPipe()
				d := &dialer{results: []any{a, b}}
				frames := keep(t, d)
				if c.heard {
					a.in <- []byte("hello")
				}
				a.end <- c.err
				time.Sleep(30 * time.Second)
				synctest.Wait()
				if len(d.dials()) != 2 || d.dials()[1] != c.want {
					t.Errorf("dialled at %v, want the second at %v", d.dials(), c.want)
				}
				if c.heard != (len(*frames) == 1) {
					t.Errorf("frames %q", *frames)
				}
			})
		})
	}
}

func TestSilenceAndAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipe(), newPipe()
		d := &dialer{results: []any{a, b}}
		keep(t, d)
		a.in <- []byte("x")
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if len(d.dials()) != 1 {
			t.Error("left a server that was silent for less than a minute")
		}
		time.Sleep(65 * time.Second)
		synctest.Wait()
		if len(d.dials()) != 2 {
			t.Errorf("stayed with a silent server: %v", d.dials())
		}
		for range 37 * 2 { // a heartbeat each half minute
			select {
			case b.in <- []byte("x"):
			case <-b.closed:
				return
			}
			time.Sleep(30 * time.Second)
		}
		t.Error("an old connection was not closed")
	})
}
