package mem_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// A loop over mem runs in virtual time: nothing of the store keeps a bubble from settling.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notes := store.Define(store.Def[note]{Name: "note", Version: 1, Key: func(n *note) string { return store.Installation().Key(n.Name) }})
		s := mem.Open(store.Schema{notes}, mem.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		seen := make(chan int, 100)
		go func() {
			_ = s.Lead(ctx, func(ctx context.Context, s store.Store) error {
				sub := s.Watch(ctx, "note")
				defer sub.Close()
				for {
					b, err := sub.Next(ctx)
					if err != nil {
						return err
					}
					seen <- len(b.Changes)
				}
			})
		}()
		synctest.Wait()
		if n := <-seen; n != 0 {
			t.Errorf("first batch has %d changes", n)
		}
		<-time.After(time.Hour) // virtual
		err := s.Update(ctx, func(tx store.Tx) error {
			if got := time.Since(tx.Now()); got != 0 {
				t.Errorf("Now is %v off", got)
			}
			notes.Put(tx, &note{Name: "a"})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := <-seen; n != 1 {
			t.Errorf("second batch has %d changes", n)
		}
		if err := s.View(ctx, store.Fresh, func(store.Tx) error { return nil }); err != nil {
			t.Error(err)
		}
		cancel()
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseEndsLeading(t *testing.T) {
	s := mem.Open(store.Schema{}, mem.Options{})
	ended := make(chan error)
	go func() {
		ended <- s.Lead(t.Context(), func(ctx context.Context, _ store.Store) error { <-ctx.Done(); return nil })
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, store.ErrClosed) {
		t.Errorf("lead: %v", err)
	}
}

func TestFaults(t *testing.T) {
	notes := store.Define(store.Def[note]{Name: "note", Version: 1, Key: func(n *note) string { return store.Installation().Key(n.Name) }})
	conflicts, down := 3, false
	s := mem.Open(store.Schema{notes}, mem.Options{Faults: mem.Faults{
		Conflict:  func(store.Txn) bool { conflicts--; return conflicts >= 0 },
		LoseWatch: func(int64) bool { return true },
		Delay: func(context.Context) error {
			if down {
				return errors.New("down")
			}
			return nil
		},
	}})
	defer s.Close()
	sub := s.Watch(t.Context(), "note")
	for range 2 {
		b, err := sub.Next(t.Context())
		if err != nil || !b.Resync {
			t.Fatalf("%+v, %v", b, err)
		}
		runs := 0
		err = s.Update(t.Context(), func(tx store.Tx) error { runs++; notes.Put(tx, &note{Name: tx.NewID()}); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if conflicts >= 0 {
		t.Error("no conflict was injected")
	}
	down = true
	if err := s.View(t.Context(), store.Fresh, func(store.Tx) error { return nil }); err == nil {
		t.Error("fresh without a store")
	}
	if err := s.View(t.Context(), store.Any, func(store.Tx) error { return nil }); err != nil {
		t.Errorf("what this server has needs no store: %v", err)
	}
}

func TestPausedFeed(t *testing.T) {
	notes := store.Define(store.Def[note]{Name: "note", Version: 1, Key: func(n *note) string { return store.Installation().Key(n.Name) }})
	a := mem.Open(store.Schema{notes}, mem.Options{})
	b := a.Join(store.Schema{notes}, mem.Options{})
	defer a.Close()
	defer b.Close()
	b.Pause()
	if err := a.Update(t.Context(), func(tx store.Tx) error { notes.Put(tx, &note{Name: "x"}); return nil }); err != nil {
		t.Fatal(err)
	}
	has := func(f store.Freshness) (ok bool) {
		_ = b.View(t.Context(), f, func(tx store.Tx) error { _, ok = notes.Get(tx, store.Installation().Key("x")); return nil })
		return ok
	}
	if has(store.Any) {
		t.Error("a paused server sees the write")
	}
	b.Resume()
	if !has(store.Any) {
		t.Error("a resumed server does not see the write")
	}
}
