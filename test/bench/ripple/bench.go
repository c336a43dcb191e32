package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
)

// bench is what a world of hosts needs of a test.
type bench struct {
	testing.TB // nil: what is used of it is below

	ctx    context.Context
	after  []func()
	failed bool
}

type ended struct{}

// run runs f and then what it left to be done, and says whether anything failed.
func (b *bench) run(f func()) bool {
	defer func() {
		for _, f := range slices.Backward(b.after) {
			b.guarded(f)
		}
	}()
	b.guarded(f)
	return b.failed
}

func (b *bench) guarded(f func()) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(ended); !ok {
				panic(r)
			}
		}
	}()
	f()
}

func (b *bench) Helper()                  {}
func (b *bench) Context() context.Context { return b.ctx }
func (b *bench) Failed() bool             { return b.failed }
func (b *bench) Cleanup(f func())         { b.after = append(b.after, f) }
func (b *bench) Log(args ...any)          { fmt.Fprintln(os.Stderr, args...) }
func (b *bench) Logf(f string, a ...any)  { fmt.Fprintf(os.Stderr, f+"\n", a...) }
func (b *bench) Error(args ...any)        { b.failed = true; b.Log(args...) }
func (b *bench) Errorf(f string, a ...any) {
	b.failed = true
	b.Logf(f, a...)
}

func (b *bench) Fatal(args ...any) {
	b.Error(args...)
	panic(ended{})
}

func (b *bench) Fatalf(f string, a ...any) {
	b.Errorf(f, a...)
	panic(ended{})
}

func (b *bench) Skip(args ...any) {
	b.Log(args...)
	panic(ended{})
}
