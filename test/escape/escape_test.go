package escape

import (
	"testing"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// TestNothingEscapes makes every attempt in tasks on both runtimes, and proves that each can succeed.
func TestNothingEscapes(t *testing.T) {
	m := newMachine(t)
	netns := m.instance(t)
	for _, runtime := range []string{"runc", "runsc"} {
		t.Run(runtime, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, runtime, m)
			c := p.control(m)
			c.instanceNetns = netns
			t.Run("blocked", func(t *testing.T) {
				t.Parallel()
				got := p.attempt(t)
				for _, r := range rows {
					blocked(t, runtime, m, r, got[r.name])
				}
			})
			t.Run("proven", func(t *testing.T) {
				t.Parallel()
				c.prove(t, m)
			})
		})
	}
}

// blocked checks what came of an attempt in a real task. What succeeds in a sandbox is the sandbox's own: another kernel's.
func blocked(t *testing.T, runtime string, m machine, r row, o aim.Outcome) {
	t.Helper()
	switch {
	case o.Name == "":
		t.Errorf("%s was not made", r.name)
	case runtime == "runsc" && r.sandbox == inside:
		if o.Result != aim.Succeeded || o.How == m.kernel || len(o.How) != len(m.kernel) {
			t.Errorf("%s: %+v, but it should succeed in a kernel of its own", r.name, o)
		}
	case o.Result == aim.Succeeded:
		t.Errorf("%s succeeds on %s: %+v", r.name, runtime, o)
	default:
		t.Logf("%s: %s", r.name, o.How)
	}
}
