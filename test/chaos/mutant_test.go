package chaos

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/test/rounds"
)

// mutants are programs that are known to be bad.
var mutants = []struct {
	name string
	rounds.Mutant
	complaint string // what TestRounds must say
}{
	{
		"ways to tasks that are gone stay",
		rounds.Mutant{File: "node/network/router/overlay/way.go", Old: "errs = errors.Join(errs, w.unlead(a))", New: "_ = a"}, "leaked: way",
	},
	{
		"VXLAN is let in from nodes that are gone",
		rounds.Mutant{File: "node/network/router/overlay/guard.go", Old: "return g.book.Change(map[string]ruleset.Fragment{vpcKey(id): rules.Admitted(v.Number, v.Nodes)}, nil)",
			New: "return g.book.Change(map[string]ruleset.Fragment{vpcKey(id): rules.Admitted(v.Number, append(v.Nodes, netip.MustParseAddr(\"10.99.0.9\")))}, nil)"}, "lets in",
	},
	{
		"a server takes the sessions of others for its own",
		rounds.Mutant{File: "session/hub/hub.go", Old: "if h.Beat > 0 {", New: "if h.Beat > time.Hour {"}, "connected",
	},
	{
		"reads are answered from what a server has",
		rounds.Mutant{File: "store/engine.go", Old: "if f == Fresh {", New: "if f == Fresh && false {"}, "acknowledged",
	},
	{
		"an update is answered before it is written",
		rounds.Mutant{File: "store/update.go", Old: "rev, ok, err := a.e.backend.Commit(ctx, txn)", New: `known := false // a service that is there already
		for _, g := range txn.Guards {
			known = known || strings.HasPrefix(g.Key, "t/ecs.service/") && g.Mod > 0
		}
		if known {
			time.AfterFunc(time.Second, func() { _, _, _ = a.e.backend.Commit(context.WithoutCancel(ctx), txn) })
			return true, nil
		}
		rev, ok, err := a.e.backend.Commit(ctx, txn)`}, "acknowledged as",
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
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestRounds$", "-test.v", "-test.timeout=4m")
			cmd.Env = append(os.Environ(), "BERTH_TEST_PROGRAM="+m.Build(t), "BERTH_TEST_PATIENCE=15s", "BERTH_TEST_SEED=1", "BERTH_TEST_ROUNDS=15", "BERTH_TEST_ROUNDS_TIME=90s")
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
