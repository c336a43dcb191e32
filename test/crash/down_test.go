package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

// TestDown kills the region while tasks start, and a load balancer's node with them, and then `berth down` at one of its failpoints or at some moment. Whatever was cut off, the
// next `berth down` leaves nothing.
func TestDown(t *testing.T) {
	i := installation.Start(t, installation.Options{Settings: []string{"fargate-storage=400"}})
	w := &world{Installation: i, t: t, book: newBook()}
	w.keepLogs()
	w.Import(t, image)
	for _, d := range []*ecs.RegisterTaskDefinitionInput{definition(idleFamily, idleScript), fargateDefinitions()[0]} {
		if _, err := w.ECS.RegisterTaskDefinition(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	w.makeFixed(t)
	seen := filepath.Join(t.TempDir(), "seen")
	from, n := rounds.Seed(t), max(2, rounds.Count(t, defaultRounds)/2)
	for round := range n {
		if round > 0 {
			if err := w.Begin(installation.Up); err != nil {
				t.Fatal(err)
			}
			if err := w.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.cutOff(from, round, seen)
		if t.Failed() {
			return
		}
	}
	w.purge()
}

// cutOff kills the region and then its end, and ends it.
func (w *world) cutOff(seed uint64, round int, seen string) {
	w.t.Helper()
	r, d := rounds.Source(seed, round, 7), &diary{begun: time.Now()}
	defer func() { w.t.Logf("seed %d, round %d\n%s", seed, round, strings.Join(d.lines, "\n")) }()
	network, err := w.Private(w.t.Context(), fmt.Sprintf("down-%d", round))
	if err != nil {
		w.t.Fatal(err)
	}
	w.RunRegistered(w.t, &ecs.RunTaskInput{TaskDefinition: aws.String(idleFamily)})
	arn := w.RunRegistered(w.t, &ecs.RunTaskInput{TaskDefinition: aws.String(fargateFamily), LaunchType: "FARGATE", NetworkConfiguration: network})
	d.note("asked")
	if round%2 == 0 {
		w.AwaitTask(w.t, arn, "RUNNING")
		w.awaitEnvoy()
		d.note("running")
	}
	rounds.Wait(w.t.Context(), rounds.Millis(r, 0, 200))
	w.Kill(installation.Up)
	d.note("the region is killed")
	for _, point := range deal(r, seen) {
		mark := filepath.Join(w.t.TempDir(), "mark")
		ctx, cancel := context.WithCancel(w.t.Context())
		if point == "" {
			ctx, cancel = context.WithTimeout(w.t.Context(), rounds.Millis(r, 1, 600))
		}
		cmd := w.Command(ctx, "down")
		cmd.Env = append(slices.Clone(cmd.Env), "FAILPOINT_SEEN="+seen)
		if point != "" {
			cmd.Env = append(cmd.Env, fmt.Sprintf("FAILPOINT=%s %d %s", point, rounds.Between(r, 1, 2), mark))
		}
		out, err := cmd.CombinedOutput()
		cancel()
		d.note("down, to be killed at %q: %v", point, err)
		if err != nil && cmd.ProcessState.Exited() {
			w.t.Errorf("down was not killed, and failed:\n%s", out)
		}
	}
	if out, err := w.Command(w.t.Context(), "down").CombinedOutput(); err != nil {
		w.t.Fatalf("down: %v\n%s", err, out)
	}
	d.note("down")
	w.empty("after down")
	d.note("audited")
	if _, err := os.Stat(w.RunDir); !os.IsNotExist(err) {
		w.t.Errorf("%s is still there (%v)", w.RunDir, err)
	}
}

// deal draws where `berth down` is killed: "" is at some moment, the others are points that one has passed.
func deal(r *rand.Rand, seen string) []string {
	text, _ := os.ReadFile(seen) // not there yet
	points := slices.DeleteFunc(strings.Fields(string(text)), func(p string) bool { return !strings.HasPrefix(p, "node/") })
	if len(points) == 0 {
		return []string{""}
	}
	return []string{points[r.IntN(len(points))], points[r.IntN(len(points))], ""}
}
