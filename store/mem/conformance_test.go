package mem_test

import (
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/store/storetest"
)

// space joins servers to one key space. Every second server lags, so that one of each check's two servers is behind.
type space struct {
	first  *mem.Store
	n      int
	mutant storetest.Mutant
}

func (s *space) Server(tb testing.TB, schema store.Schema, o store.Options) store.Store {
	tb.Helper()
	mo := mem.Options{Now: o.Now, NewID: o.NewID, Backend: s.mutant.Backend}
	s.n++
	lags := s.n%2 == 0
	mo.Sink = func(sink store.Sink) store.Sink {
		if lags {
			l := storetest.NewLagging(sink)
			tb.Cleanup(l.Stop)
			sink = l
		}
		if s.mutant.Sink != nil {
			sink = s.mutant.Sink(sink)
		}
		return sink
	}
	if s.first == nil {
		s.first = mem.Open(schema, mo)
		return s.first
	}
	return s.first.Join(schema, mo)
}

func (s *space) Depose(testing.TB) { s.first.Depose() }

func harness(m storetest.Mutant) storetest.Harness {
	return storetest.HarnessFunc(func(testing.TB) storetest.Space { return &space{mutant: m} })
}

func TestConformance(t *testing.T) { storetest.Run(t, harness(storetest.Mutant{})) }

func TestSuiteCatchesMutants(t *testing.T) {
	for _, m := range storetest.Mutants() {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			failures := storetest.Failures(t, harness(m), true)
			if len(failures) == 0 {
				t.Error("the suite passes on it")
			}
			for check, said := range failures {
				t.Logf("caught by %q: %s", check, said)
			}
		})
	}
}

// The checks must not fail by themselves when they report to a recorder.
func TestSuitePassesOnTheOriginal(t *testing.T) {
	for check, said := range storetest.Failures(t, harness(storetest.Mutant{}), false) {
		t.Errorf("%s: %s", check, said)
	}
}
