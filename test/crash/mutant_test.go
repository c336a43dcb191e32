package crash

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is a program that is known to be bad: one place of its source is another.
type mutant struct {
	name      string
	file      string // from the root of the repository
	old, new  string
	point     string // where it is shot, as in BERTH_TEST_POINT
	complaint string // what TestPoints must say
}

// The mutants leave out what makes a crash good.
var mutants = []mutant{
	{
		"a task's lease stays", "node/runtime/prepare.go", ", r.endLease(ctx, taskID))", ")",
		"node/accepted 1 1", "leaked",
	},
	{
		"output that was taken gets no head", "node/hold/output.go",
		"if i := o.journal.Taking.Load(); i > 0 {", "if i := o.journal.Taking.Load(); i > 99 {",
		"hold/taken 2 1", "lines, want 40",
	},
	{
		"an update is answered before it is written", "store/update.go", "rev, ok, err := a.e.backend.Commit(ctx, txn)",
		`known := false // a service that is there already
		for _, g := range txn.Guards {
			known = known || strings.HasPrefix(g.Key, "t/ecs.service/") && g.Mod > 0
		}
		if known {
			time.AfterFunc(2*time.Second, func() { _, _, _ = a.e.backend.Commit(context.WithoutCancel(ctx), txn) })
			return true, nil
		}
		rev, ok, err := a.e.backend.Commit(ctx, txn)`,
		"server/payload:after 25 1", "acknowledged as",
	},
	{
		"a report that did not arrive is not repeated", "node/agent/report/report.go",
		"\"error\", err)\n\t\treturn true", "\"error\", err)",
		// a task that ended by itself: nothing that is reported later says so again
		"server/commit(ecs.ledger+ecs.task.desired+ecs.task.status):before 1 1", "after the round: task",
	},
	{
		"what ended unseen is not known", "node/agent/engine/transition.go", "t.ended(i, exitOf(s))", "c.Phase, c.exit = Fresh, nil",
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
			cmd.Env = append(os.Environ(), "BERTH_TEST_PROGRAM="+m.build(t), "BERTH_TEST_POINT="+m.point, "BERTH_TEST_PATIENCE=12s", "BERTH_TEST_SEED=1")
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

// build builds the mutant without touching the tree.
func (m mutant) build(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	source, dir := filepath.Join(root, m.file), t.TempDir()
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), m.old) != 1 {
		t.Fatalf("%s does not have %q once: the mutant has to follow the code", m.file, m.old)
	}
	bad, overlay, program := filepath.Join(dir, "bad.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "berth")
	if err := os.WriteFile(bad, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(map[string]map[string]string{"Replace": {source: bad}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, document, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, "github.com/berth-ecs/berth/cmd/berth")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}
