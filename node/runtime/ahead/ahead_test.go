package ahead

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// world makes things in 200 ms and notes which there are.
type world struct {
	*Pool[string]

	there []string // "name kind"
	most  int
	made  int
	fails bool
}

func (w *world) make(ctx context.Context, name, kind string) error {
	w.there = append(w.there, name+" "+kind)
	w.most, w.made = max(w.most, len(w.there)), w.made+1
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(200 * time.Millisecond):
	}
	if w.fails {
		return errors.New("it fails")
	}
	return nil
}

func (w *world) drop(_ context.Context, name string) error {
	w.there = slices.DeleteFunc(w.there, func(s string) bool { return s[:len(name)] == name })
	return nil
}

// pass lets time pass; ask asks for one of the kind and says so when the asking is over.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) ask(kind string) (string, bool) {
	name, ok := w.Take(kind)
	if ok {
		w.there = slices.DeleteFunc(w.there, func(s string) bool { return s == name+" "+kind })
	}
	w.Nudge()
	return name, ok
}

func within(t *testing.T, most int, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		n := 0
		life, end := context.WithCancel(t.Context())
		w.Pool = Open(life, Config[string]{
			Most: most, Calm: 100 * time.Millisecond, Make: w.make, Drop: w.drop, Log: slog.New(slog.DiscardHandler),
			Name: func() string { n++; return fmt.Sprint("n", n) },
		})
		f(w)
		end()
		w.Wait()
		w.Close(t.Context())
		if len(w.there) > 0 {
			t.Errorf("left: %v", w.there)
		}
		if w.most > most {
			t.Errorf("%d at once, at most %d", w.most, most)
		}
		if _, ok := w.Take("a"); ok {
			t.Error("something is given away after the end")
		}
	})
}

func TestNothingIsMadeBeforeItIsAskedFor(t *testing.T) {
	within(t, 2, func(w *world) {
		w.Nudge()
		pass(time.Hour)
		if w.made > 0 {
			t.Errorf("made: %v", w.there)
		}
	})
}

func TestEachIsGivenAwayOnce(t *testing.T) {
	within(t, 2, func(w *world) {
		if _, ok := w.ask("a"); ok {
			t.Error("there is one already")
		}
		pass(time.Second)
		seen := map[string]bool{}
		for range 5 {
			name, ok := w.ask("a")
			if !ok || seen[name] || w.Keeps(name) {
				t.Errorf("%q %v of %v", name, ok, seen)
			}
			seen[name] = true
			pass(time.Second)
		}
		if len(w.there) != 2 || !w.Keeps(w.there[0][:2]) {
			t.Errorf("ready: %v", w.there)
		}
	})
}

// Who asks now comes first: nothing is made meanwhile.
func TestMakingWaitsForCalm(t *testing.T) {
	within(t, 1, func(w *world) {
		for range 50 {
			w.ask("a")
			pass(90 * time.Millisecond)
		}
		if w.made > 0 {
			t.Errorf("made %d", w.made)
		}
		pass(400 * time.Millisecond)
		if len(w.there) != 1 {
			t.Errorf("ready: %v", w.there)
		}
	})
}

// One that is not asked for any more makes room; two kinds in turn do not take each other's place.
func TestKinds(t *testing.T) {
	within(t, 1, func(w *world) {
		w.ask("a")
		pass(time.Second)
		for range 4 {
			if _, ok := w.ask("b"); ok {
				t.Error("there is a b")
			}
			pass(time.Second)
			if _, ok := w.ask("a"); !ok {
				t.Error("there is no a")
			}
			pass(time.Second)
		}
		for range 2 {
			w.ask("b")
			pass(time.Second)
		}
		if _, ok := w.ask("b"); !ok {
			t.Errorf("there is no b: %v", w.there)
		}
	})
}

func TestWhatFailsIsDroppedAndTriedWhenAskedAgain(t *testing.T) {
	within(t, 1, func(w *world) {
		w.fails = true
		w.ask("a")
		pass(time.Hour)
		if w.made != 1 || len(w.there) > 0 {
			t.Errorf("made %d, there %v", w.made, w.there)
		}
		w.fails = false
		w.ask("a")
		pass(time.Second)
		if _, ok := w.ask("a"); !ok {
			t.Error("it was not tried again")
		}
	})
}

// One that is of no use goes, and another comes.
func TestSpoilt(t *testing.T) {
	within(t, 1, func(w *world) {
		w.ask("a")
		pass(time.Second)
		name, ok := w.Take("a")
		w.Spoilt(name)
		pass(time.Second)
		if !ok || len(w.there) != 1 || w.there[0] == name+" a" {
			t.Errorf("took %s %v, there: %v", name, ok, w.there)
		}
	})
}

// What is being made at the end goes.
func TestEndWhileOneIsMade(t *testing.T) {
	within(t, 1, func(w *world) {
		w.ask("a")
		pass(200 * time.Millisecond)
		if len(w.there) != 1 {
			t.Errorf("there: %v", w.there)
		}
	})
}
