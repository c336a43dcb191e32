package fair

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestImportantFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(Limits{Total: 1, Caps: []int{1, 1, 1}, Queued: 9})
		leave, err := g.Enter(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []int
		for _, class := range []int{2, 1, 2, 0, 1, 0} {
			go func() {
				leave, err := g.Enter(t.Context(), class)
				if err != nil {
					return
				}
				mu.Lock()
				order = append(order, class)
				mu.Unlock()
				leave()
			}()
			synctest.Wait() // they arrive one by one
		}
		leave()
		synctest.Wait()
		if got := fmt.Sprint(order); got != "[0 0 1 1 2 2]" {
			t.Errorf("order %s", got)
		}
	})
}

func TestCapLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(Limits{Total: 3, Caps: []int{3, 2}, Queued: 9})
		for range 4 {
			go func() { _, _ = g.Enter(t.Context(), 1) }()
		}
		synctest.Wait()
		if got := g.Inside(1); got != 2 {
			t.Errorf("inside %d, want its cap of 2", got)
		}
		if _, err := g.Enter(t.Context(), 0); err != nil || g.Inside(0) != 1 {
			t.Errorf("the other class found no room: %v", err)
		}
	})
}

func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(Limits{Total: 1, Caps: []int{1}, Queued: 1})
		leave, _ := g.Enter(t.Context(), 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		gone := make(chan error)
		go func() {
			_, err := g.Enter(ctx, 0)
			gone <- err
		}()
		synctest.Wait()
		if _, err := g.Enter(t.Context(), 0); !errors.Is(err, ErrBusy) {
			t.Errorf("error %v, want ErrBusy", err)
		}
		if err := <-gone; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline", err)
		}
		leave()
		if _, err := g.Enter(t.Context(), 0); err != nil || g.Inside(0) != 1 {
			t.Errorf("who left the line still holds a place: %v", err)
		}
	})
}

// Whatever comes, waits, goes and gives up: the bounds hold, and in the end everyone who may be inside is.
func TestGateKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		caps := []int{rapid.IntRange(1, 3).Draw(rt, "cap 0"), rapid.IntRange(1, 3).Draw(rt, "cap 1")}
		total := rapid.IntRange(1, 4).Draw(rt, "total")
		steps := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 40).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) { play(t, NewGate(Limits{Total: total, Caps: caps, Queued: 100}), steps) })
	})
}

// play lets clients arrive (steps 0 and 1 are classes), one that is inside leave (2) and one that waits give up (3).
func play(t *testing.T, g *Gate, steps []int) {
	t.Helper()
	type client struct {
		leave  func()
		cancel context.CancelFunc
		left   bool
	}
	var mu sync.Mutex
	var clients []*client
	for _, step := range steps {
		if step < 2 {
			ctx, cancel := context.WithCancel(t.Context())
			c := &client{cancel: cancel}
			clients = append(clients, c)
			go func() {
				leave, err := g.Enter(ctx, step)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					c.leave = leave
				}
			}()
			synctest.Wait()
		}
		mu.Lock()
		for _, c := range clients {
			if step == 2 && c.leave != nil && !c.left {
				c.left = true
				c.leave()
				break
			}
			if step == 3 && c.leave == nil {
				c.cancel()
				break
			}
		}
		mu.Unlock()
		synctest.Wait()
		g.mu.Lock()
		if g.inside > g.limits.Total || g.used[0] > g.limits.Caps[0] || g.used[1] > g.limits.Caps[1] || g.inside != g.used[0]+g.used[1] {
			t.Errorf("inside %d %v of %+v", g.inside, g.used, g.limits)
		}
		for class := range g.waiting {
			if len(g.waiting[class]) > 0 && g.room(class) {
				t.Errorf("class %d waits though there is room", class)
			}
		}
		g.mu.Unlock()
	}
	for _, c := range clients {
		c.cancel()
	}
}

func TestBuckets(t *testing.T) {
	b := NewBuckets(Rate{PerSecond: 1, Burst: 2}, Rate{PerSecond: 10, Burst: 1})
	now := time.Unix(0, 0)
	take := func(caller string, class int, want bool) {
		t.Helper()
		if got := b.Take(now, caller, class); got != want {
			t.Errorf("%s, class %d at %v: %v", caller, class, now.Sub(time.Unix(0, 0)), got)
		}
	}
	take("a", 0, true)
	take("a", 0, true)
	take("a", 0, false)
	take("a", 1, true)
	take("b", 0, true)
	now = now.Add(time.Second)
	take("a", 0, true)
	take("a", 0, false)
}
