package storetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// Failures runs the suite without failing a test and answers what each failed check said; for mutants. It stops at the
// first failure when first is set.
func Failures(tb testing.TB, h Harness, first bool) map[string]string {
	tb.Helper()
	out := map[string]string{}
	for _, c := range checks() {
		if said := tryCheck(tb, h, c); said != "" {
			out[c.name] = said
			if first {
				return out
			}
		}
	}
	return out
}

// mutantTimeout is short: a mutant that hangs is caught, too.
const mutantTimeout = 3 * time.Second

func tryCheck(tb testing.TB, h Harness, c check) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), mutantTimeout)
	defer cancel()
	r := &recorder{TB: tb, ctx: ctx}
	defer r.clean()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		c.run(newKit(r, h))
	}()
	<-done
	return r.said()
}

// recorder is a testing.TB that keeps failures to itself.
type recorder struct {
	testing.TB
	ctx context.Context

	mu       sync.Mutex
	first    string
	cleanups []func()
}

func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Helper()                  {}
func (r *recorder) Log(...any)               {}
func (r *recorder) Logf(string, ...any)      {}
func (r *recorder) Fail()                    { r.note("failed") }
func (r *recorder) Failed() bool             { return r.said() != "" }
func (r *recorder) Error(a ...any)           { r.note(fmt.Sprint(a...)) }
func (r *recorder) Errorf(f string, a ...any) {
	r.note(fmt.Sprintf(f, a...))
}
func (r *recorder) FailNow() { r.Fail(); runtime.Goexit() }
func (r *recorder) Fatal(a ...any) {
	r.Error(a...)
	runtime.Goexit()
}
func (r *recorder) Fatalf(f string, a ...any) {
	r.Errorf(f, a...)
	runtime.Goexit()
}

func (r *recorder) Cleanup(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, fn)
}

func (r *recorder) clean() {
	for _, clean := range slices.Backward(r.cleanups) {
		clean()
	}
}

func (r *recorder) note(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == "" {
		r.first = s
	}
}

func (r *recorder) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}
