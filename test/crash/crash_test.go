package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

func TestMain(m *testing.M) {
	code := m.Run()
	installation.Discard()
	os.Exit(code)
}

func TestRounds(t *testing.T) {
	w := begin(t)
	from, n := rounds.Seed(t), rounds.Count(t, defaultRounds)
	t.Logf("BERTH_TEST_SEED=%d BERTH_TEST_ROUNDS=%d", from, n)
	for round := range n {
		w.round(from, round)
		if t.Failed() {
			return
		}
	}
	w.stopEverything()
	w.audit("after everything was stopped")
	w.Kill(installation.Server)
	w.Kill(installation.Node)
	w.purge()
}

// diary is what happened in a round, for whoever reads its failure.
type diary struct {
	begun time.Time
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf("%6.2fs  ", time.Since(d.begun).Seconds())+fmt.Sprintf(format, args...))
}

// round kills what its fault says while the load runs, and judges what is left.
func (w *world) round(seed uint64, round int) {
	w.t.Helper()
	f, r, d := draw(seed, round), rounds.Source(seed, round, 3), &diary{begun: time.Now()}
	defer func() {
		w.t.Logf("seed %d, round %d\n%s", seed, round, strings.Join(d.lines, "\n"))
	}()
	release := w.gated(int32(rounds.Between(r, 1, 99)), int32(rounds.Between(r, 1, 99)))
	addresses, err := w.addresses(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	l := w.startLoad(seed, round)
	defer l.end()
	l.until(f.after)
	rounds.Wait(w.t.Context(), f.delay)
	d.note("kill %s after %d operations", f, l.ops.Load())
	w.down(f, func() { w.killAll(f, r) })
	release()
	if err := w.answers(w.t.Context(), f.spared(w, addresses)); err != nil {
		w.t.Errorf("%s is down: %v", f, err)
	}
	l.until(f.down)
	w.back(f, d, r, !f.again)
	if f.again {
		rounds.Wait(w.t.Context(), f.relapse)
		d.note("kill again after %d operations", l.ops.Load())
		w.down(f, func() { w.killAll(f, r) })
		w.back(f, d, r, true)
	}
	l.until(f.rest)
	l.end()
	d.note("the load ends after %d operations", l.ops.Load())
	w.judge(d)
	if err := w.answers(w.t.Context(), addresses); err != nil {
		w.t.Error(err)
	}
}

// down does what stops the server answering, if the fault has it.
func (w *world) down(f fault, kill func()) {
	if f.has(server) && w.serverLife.Load()%2 == 0 {
		w.serverLife.Add(1)
	}
	kill()
}

// back begins what was killed and, unless it is killed again, waits until the region is ready.
func (w *world) back(f fault, d *diary, r *rand.Rand, last bool) {
	w.t.Helper()
	w.beginAll(f, r)
	d.note("begun again")
	if !last {
		return
	}
	if err := w.Ready(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if f.has(server) {
		w.serverLife.Add(1)
	}
	d.note("ready")
}

// judge checks everything once the load has ended.
func (w *world) judge(d *diary) {
	w.t.Helper()
	for _, finding := range w.book.takeFindings() {
		w.t.Error(finding)
	}
	if err := w.visible(w.t.Context()); err != nil {
		w.t.Errorf("at once: %v", err)
	}
	w.converge("after the round")
	d.note("converged")
	w.audit("after the round")
	d.note("audited")
}
