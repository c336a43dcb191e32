package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
)

// attempt bounds one write of a leader that is cut off.
const attempt = 2 * time.Second

// reign is one member's time as the leader, which may end without its knowing.
type reign struct {
	number int
	of     *etcd.Store
	writes store.Store // what it writes through
}

// write writes a record that nobody else has: nothing but the leader's guard could stop it.
func (r *reign) write(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	return r.writes.Update(ctx, func(tx store.Tx) error { notes.Put(tx, &note{Name: name, N: r.number}); return nil })
}

// throne is three members that all want to lead, and whoever led.
type throne struct {
	*testing.T
	all    []*etcd.Store
	reigns chan *reign
	wrote  chan int // whose records they are, in the order of their commits
}

// newThrone starts three members. writes says what a leader writes through.
func newThrone(t *testing.T, writes func(of *etcd.Store, leader store.Store) store.Store) *throne {
	t.Helper()
	dir, certs := t.TempDir(), newCertificates(t)
	h := &throne{T: t, reigns: make(chan *reign, 100), wrote: make(chan int, 1000)}
	h.all = []*etcd.Store{openMember(t, dir, certs.peer(t, "a"))}
	for _, name := range []string{"b", "c"} {
		h.all = append(h.all, openMember(t, dir, joining(certs.peer(t, name), h.all[0])))
	}
	go h.listen(h.all[2].Watch(t.Context(), notes.Name()))
	var reigns atomic.Int64
	for _, s := range h.all {
		go func() {
			_ = s.Lead(t.Context(), func(ctx context.Context, leader store.Store) error {
				h.reigns <- &reign{number: int(reigns.Add(1)), of: s, writes: writes(s, leader)}
				<-ctx.Done()
				return nil
			})
		}()
	}
	return h
}

// listen notes the order of commits.
func (h *throne) listen(sub store.Subscription) {
	defer close(h.wrote)
	defer sub.Close()
	for {
		b, err := sub.Next(h.Context())
		if err != nil {
			return
		}
		for _, c := range b.Changes {
			n := c.New.(*note)
			if n.Name == "the end" {
				return
			}
			h.wrote <- n.N
		}
	}
}

func (h *throne) next() *reign {
	h.Helper()
	select {
	case r := <-h.reigns:
		return r
	case <-time.After(20 * time.Second):
		h.Fatal("nobody leads")
		return nil
	}
}

// order ends the test's writes and answers whose they were, in the order of their commits; neighbours are one.
func (h *throne) order(last *etcd.Store) []int {
	h.Helper()
	write(h.T, last, "the end", 0)
	var out []int
	for n := range h.wrote {
		out = append(out, n)
	}
	return slices.Compact(out)
}

func (h *throne) others(s *etcd.Store) []*etcd.Store {
	return slices.DeleteFunc(slices.Clone(h.all), func(o *etcd.Store) bool { return o == s })
}

// cutOff cuts the leader from the others, lets the next one write, and lets the first one back, which still believes that it leads: it knows of
// no ctx that ended.
func cutOff(h *throne) (order []int, old error) {
	h.Helper()
	first := h.must(h.next(), "before")
	first.of.Cut(true, h.others(first.of)...)
	_ = first.write(h.Context(), "while cut off") // it fails, or is undone: nobody else has it
	second := h.must(h.next(), "meanwhile")
	first.of.Cut(false, h.others(first.of)...)
	for n := 0; ; n++ { // until it is told, one way or the other
		old = first.write(h.Context(), fmt.Sprint("back again ", n))
		if old == nil || errors.Is(old, store.ErrNotLeader) {
			break
		}
		h.Logf("back again: %v", old)
	}
	second = h.must(second, "afterwards")
	return h.order(second.of), old
}

// asleep stops the leader within a transaction, as a process is stopped that the machine has no time for, until the next leader has written.
func asleep(h *throne) (order []int, old error) {
	h.Helper()
	first := h.must(h.next(), "before")
	var second *reign
	old = first.writes.Update(h.Context(), func(tx store.Tx) error {
		if second == nil {
			if err := first.of.Resign(h.Context(), map[bool]string{true: "b", false: "a"}[first.of == h.all[0]]); err != nil {
				return err
			}
			second = h.must(h.next(), "meanwhile")
		}
		notes.Put(tx, &note{Name: "awake", N: first.number})
		return nil
	})
	second = h.must(second, "afterwards")
	return h.order(second.of), old
}

// must has whoever leads write, which is r, unless a busy machine was too slow for it to stay the leader.
func (h *throne) must(r *reign, name string) *reign {
	h.Helper()
	for n := 0; n < 3; {
		err := r.write(h.Context(), fmt.Sprint(name, n))
		switch {
		case err == nil:
			n++
		case errors.Is(err, store.ErrNotLeader):
			r = h.next()
		case h.Context().Err() != nil:
			h.Fatalf("%s: leader %d cannot write: %v", name, r.number, err)
		}
	}
	return r
}

// interleaved says whether somebody wrote again after another had.
func interleaved(order []int) bool {
	seen := map[int]bool{}
	for _, n := range order {
		if seen[n] {
			return true
		}
		seen[n] = true
	}
	return len(order) < 2
}

// An old leader's write does not pass once another has begun, and the writes of two leaders never interleave. One that writes without the
// leader's guard is caught: were it not, the test would show nothing.
func TestAnOldLeaderWritesNothing(t *testing.T) {
	for name, turn := range map[string]func(*throne) ([]int, error){"cut off": cutOff, "asleep": asleep} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			order, err := turn(newThrone(t, func(_ *etcd.Store, leader store.Store) store.Store { return leader }))
			if interleaved(order) || !errors.Is(err, store.ErrNotLeader) {
				t.Errorf("leaders wrote in the order %v; the old one was told %v", order, err)
			}
		})
		t.Run(name+", a mutant without the guard", func(t *testing.T) {
			t.Parallel()
			order, err := turn(newThrone(t, func(of *etcd.Store, _ store.Store) store.Store { return of }))
			if !interleaved(order) || err != nil {
				t.Errorf("the mutant is not caught: leaders wrote in the order %v; the old one was told %v", order, err)
			}
		})
	}
}
