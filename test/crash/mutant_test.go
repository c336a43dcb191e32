package crash

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/test/rounds"
)

// mutant is a program that is known to be bad.
type mutant struct {
	name string
	rounds.Mutant
	point     string // where it is shot, as in BERTH_TEST_POINT
	complaint string // what TestPoints must say
}

// The mutants leave out what makes a crash good.
var mutants = []mutant{
	{
		"a task's lease stays", rounds.Mutant{File: "node/runtime/prepare.go", Old: ", r.endLease(ctx, taskID))", New: ")"},
		"node/accepted 1 1", "leaked",
	},
	{
		"output that was taken gets no head",
		rounds.Mutant{File: "node/hold/output.go", Old: "if i := o.journal.Taking.Load(); i > 0 {", New: "if i := o.journal.Taking.Load(); i > 99 {"},
		"hold/taken 2 1", "lines, want 40",
	},
	{
		"an update is answered before it is written",
		rounds.Mutant{File: "store/update.go", Old: "rev, ok, err := a.e.backend.Commit(ctx, txn)", New: `known := false // a service that is there already
		for _, g := range txn.Guards {
			known = known || strings.HasPrefix(g.Key, "t/ecs.service/") && g.Mod > 0
		}
		if known {
			time.AfterFunc(2*time.Second, func() { _, _, _ = a.e.backend.Commit(context.WithoutCancel(ctx), txn) })
			return true, nil
		}
		rev, ok, err := a.e.backend.Commit(ctx, txn)`},
		"server/payload:after 25 1", "acknowledged as",
	},
	{
		"a report that did not arrive is not repeated",
		rounds.Mutant{File: "node/agent/report/report.go", Old: "\"error\", err)\n\t\treturn true", New: "\"error\", err)"},
		// a task that ended by itself: nothing that is reported later says so again
		"server/commit(ecs.ledger+ecs.task.desired+ecs.task.status):before 1 1", "after the round: task",
	},
	{
		"what ended unseen is not known", rounds.Mutant{File: "node/agent/engine/transition.go", Old: "t.ended(i, exitOf(s))", New: "c.Phase, c.exit = Fresh, nil"},
		"node/accepted 3 1", "after the round",
	},
}

// TestMutants: the rounds see what they are there for. It needs BERTH_TEST_MUTANTS, for each mutant is a build and a region.
func TestMutants(t *testing.T) {
	if os.Getenv("BERTH_TEST_MUTANTS") == "" {
		t.Skip("BERTH_TEST_MUTANTS is not set: make nightly does")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestPoints$", "-test.v", "-test.timeout=3m")
			cmd.Env = append(os.Environ(), "BERTH_TEST_PROGRAM="+m.Build(t), "BERTH_TEST_POINT="+m.point, "BERTH_TEST_PATIENCE=12s", "BERTH_TEST_SEED=1")
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("nobody noticed:\n%s", out)
			}
			if !strings.Contains(string(out), m.complaint) {
				t.Errorf("it failed, but did not say %q:\n%s", m.complaint, out)
			}
		})
	}
}
