package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/hold/logfile"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

// TestPoints kills a process at one failpoint after the other, each at some hit of it, while the load runs.
func TestPoints(t *testing.T) {
	w := begin(t)
	from := rounds.Seed(t)
	deck := newDeck(t, from)
	if text := os.Getenv("BERTH_TEST_POINT"); text != "" {
		s, err := again(text)
		if err != nil {
			t.Fatalf("BERTH_TEST_POINT: %v", err)
		}
		w.shoot(deck, s)
		return
	}
	n, until := points(t)
	t.Logf("BERTH_TEST_SEED=%d, at most %d points until %s", from, n, until.Format(time.TimeOnly))
	for round := range n {
		if time.Now().After(until) {
			break
		}
		if err := deck.learn(); err != nil && round > 0 {
			t.Fatal(err)
		}
		w.shoot(deck, deck.deal(round))
		if t.Failed() {
			return
		}
	}
	t.Logf("%d of %d points were fired; dealt and not reached: %s", len(deck.fired), len(deck.known), strings.Join(deck.never(), " "))
	w.stopEverything()
	w.audit("after everything was stopped")
}

// shoot is a round: the process is begun with its point armed, dies there, and is begun again.
func (w *world) shoot(deck *deck, s shot) {
	w.t.Helper()
	d := &diary{begun: time.Now()}
	defer func() {
		w.t.Logf("BERTH_TEST_SEED=%d BERTH_TEST_POINT=%q\n%s", deck.seed, s, strings.Join(d.lines, "\n"))
	}()
	r := rounds.Source(deck.seed, s.round, 3)
	release := w.gated(int32(rounds.Between(r, 1, 99)))
	addresses, err := w.addresses(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	mark := filepath.Join(w.t.TempDir(), "mark")
	w.arm(deck, s, mark)
	d.note("armed")
	if w.readyOr(mark) {
		l := w.startLoad(deck.seed, s.round)
		defer l.end()
		w.await(l, s, mark)
		d.note("fired: %t, after %d operations", exists(mark), l.ops.Load())
		w.fallen(deck, s, mark)
		if err := w.answers(w.t.Context(), addresses); err != nil {
			w.t.Errorf("while it is down: %v", err)
		}
		release()
		w.rise(deck, s)
		d.note("ready again")
		l.until(rounds.Between(r, 2, 5))
		l.end()
	} else {
		d.note("fired while it began")
		w.fallen(deck, s, mark)
		release()
		w.rise(deck, s)
	}
	w.judge(d)
	if err := w.printed(); err != nil {
		w.t.Error(err)
	}
}

// printed: what containers that ended by themselves wrote is in their logs, once and in order.
func (w *world) printed() error {
	var errs []error
	for arn, wished := range w.book.allTasks() {
		if wished.exit == nil || wished.stop || wished.gated {
			continue
		}
		n := 0
		for line, err := range logfile.Read(w.t.Context(), filepath.Join(w.DataDir, "logs"), rounds.ShortID(arn), "main") {
			if n++; err != nil || string(line.Text) != strconv.Itoa(n) {
				errs = append(errs, fmt.Errorf("task %s: line %d of its output is %q (%w)", arn, n, line.Text, err))
				break
			}
		}
		if n != 40 {
			errs = append(errs, fmt.Errorf("task %s: its output has %d lines, want 40", arn, n))
		}
	}
	return errors.Join(errs...)
}

// arm begins the process anew with its point armed.
func (w *world) arm(deck *deck, s shot, mark string) {
	w.t.Helper()
	role := s.role()
	if role == installation.Server {
		w.serverLife.Add(1)
	}
	w.Kill(role)
	if s.point.Process() == "hold" {
		if err := w.KillHold(); err != nil {
			w.t.Fatal(err)
		}
	}
	err := w.Begin(role, w.nodeSettings(rounds.Source(deck.seed, s.round, 5)), "FAILPOINT_SEEN="+deck.seen, fmt.Sprintf("FAILPOINT=%s %d %s", s.point, s.hit, mark))
	if err != nil {
		w.t.Fatal(err)
	}
}

// readyOr waits until the region is ready; false when the process died before.
func (w *world) readyOr(mark string) bool {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	go func() {
		for !exists(mark) && ctx.Err() == nil {
			rounds.Wait(ctx, 5*time.Millisecond)
		}
		cancel()
	}()
	if err := w.Ready(ctx); err != nil && !exists(mark) {
		w.t.Fatal(err)
	}
	return !exists(mark)
}

// Enough operations of the load, and enough time for the tasks it began to end, come by every point that it reaches at all,
// unless the machine is busy.
const (
	enough     = 40
	enoughTime = 4 * time.Second
)

// await waits until the process has died at its point, or enough was tried.
func (w *world) await(l *load, s shot, mark string) {
	goal, end := l.ops.Load()+enough, time.Now().Add(enoughTime)
	if s.named {
		end = time.Now().Add(installation.Patience)
	}
	for (l.ops.Load() < goal || time.Now().Before(end)) && !exists(mark) && w.t.Context().Err() == nil {
		rounds.Wait(w.t.Context(), 2*time.Millisecond)
	}
}

// fallen sees to it that the process is dead.
func (w *world) fallen(deck *deck, s shot, mark string) {
	w.t.Helper()
	if exists(mark) {
		deck.fired[s.point]++
	}
	if s.point.Process() == "hold" {
		return // the node has begun it again
	}
	if !exists(mark) {
		w.Kill(s.role())
	}
	select {
	case <-w.Ended(s.role()):
	case <-time.After(installation.Patience):
		w.t.Fatalf("%s does not end", s.role())
	}
}

// rise begins the process again, unarmed.
func (w *world) rise(deck *deck, s shot) {
	w.t.Helper()
	role := s.role()
	if s.point.Process() != "hold" {
		if err := w.Begin(role, w.nodeSettings(rounds.Source(deck.seed, s.round, 6)), "FAILPOINT_SEEN="+deck.seen); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.Ready(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if role == installation.Server {
		w.serverLife.Add(1)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
