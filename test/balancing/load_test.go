package balancing

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// load are clients that ask again and again, each for itself, each waiting for its answer.
type load struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	asked   int
	slowest time.Duration
	failed  []failure
}

// failure is a request that failed: when it began and ended, and how.
type failure struct {
	began, ended time.Time
	err          error
}

// client asks once.
type client func(ctx context.Context) error

// begin begins so many clients that ask together at most rate times a second.
func begin(t testing.TB, clients, rate int, make func() client) *load {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	l := &load{stop: stop}
	every := time.Second * time.Duration(clients) / time.Duration(rate)
	for i := range clients {
		ask := make()
		l.done.Go(func() {
			<-time.After(every * time.Duration(i) / time.Duration(clients)) // they do not all ask at once
			pace := time.NewTicker(every)
			defer pace.Stop()
			l.ask(ctx, ask, pace.C)
		})
	}
	t.Cleanup(func() { l.end() })
	return l
}

const answerWithin = 30 * time.Second

// ask asks until ctx ends. What is asked then is answered.
func (l *load) ask(ctx context.Context, ask client, pace <-chan time.Time) {
	for ctx.Err() == nil {
		began := time.Now()
		once, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
		err := ask(once)
		cancel()
		l.mu.Lock()
		l.asked++
		l.slowest = max(l.slowest, time.Since(began))
		if err != nil {
			l.failed = append(l.failed, failure{began, time.Now(), err})
		}
		l.mu.Unlock()
		select {
		case <-pace:
		case <-ctx.Done():
		}
	}
}

func (l *load) end() { l.stop(); l.done.Wait() }

// count is how many were asked so far.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// reach waits until so many more were asked.
func (l *load) reach(t testing.TB, more int) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	within := 2*time.Minute + 10*time.Duration(more)*time.Second/rate // a tenth of the aim
	for want, end := l.count()+more, time.After(within); l.count() < want; {
		select {
		case <-look.C:
		case <-end:
			t.Fatalf("%d of %d were asked", l.count(), want)
		}
	}
}

// result ends the load and says how it went; at most so many may have failed.
func (l *load) result(t testing.TB, what string, most int) []failure {
	t.Helper()
	l.end()
	t.Logf("%s: %d of %d failed, the slowest took %s", what, len(l.failed), l.asked, l.slowest.Round(time.Millisecond))
	if len(l.failed) > most {
		t.Errorf("%s: %d of %d failed, not at most %d: %s", what, len(l.failed), l.asked, most, some(l.failed))
	}
	return l.failed
}

// some are the first few failures.
func some(all []failure) string {
	var out strings.Builder
	for _, f := range all[:min(8, len(all))] {
		_, _ = fmt.Fprintf(&out, "\n  at %s after %s: %v", f.ended.Format("05.000"), f.ended.Sub(f.began).Round(time.Millisecond), f.err)
	}
	return out.String()
}
