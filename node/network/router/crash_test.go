package router

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/internal/failpoint"
)

// childEnv makes the test binary a process that applies configurations until it is killed: "name pool rundir seed".
const childEnv = "BERTH_TEST_ROUTER_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		if err := child(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child writes a line for each configuration that it applied.
func child(spec string) error {
	f := strings.Fields(spec)
	if err := failpoint.Arm(os.Environ()); err != nil {
		return err
	}
	c := Config{Name: f[0], PublicPool: netip.MustParsePrefix(f[1]), RunDir: f[2]}
	r, err := Open(context.Background(), c)
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(f[3], 10, 64)
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	n := newNet("vpc-1", "10.0.0.0/16")
	for {
		n.mutate(rnd, pool(r, 1))
		n.Version++
		report, err := r.ApplyConfig(context.Background(), &n.Config)
		if err != nil || len(report.Failed) > 0 {
			return fmt.Errorf("%w %v", err, report.Failed)
		}
		fmt.Println(n.Version)
	}
}

// Wherever a process dies, the next one brings everything to what the configuration says, and leaves nothing else.
func TestKilledAtAnyPoint(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := open(t)
	n := newNet("vpc-1", "10.0.0.0/16")
	for range 4 {
		n.mutate(rnd, pool(r, 1))
	}
	n.apply(t, r)
	want := picture(t, r)
	points := []failpoint.Point{"", "", failpoint.ENIMarked, failpoint.ENIConfigured, failpoint.ENIUnmounted, failpoint.ENIDeleted, failpoint.Rules + ":before", failpoint.Rules + ":after"}
	for _, p := range points {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		runAndKill(t, r.cfg, p, rnd)
		r = reopen(t, r)
		n.apply(t, r)
		if diff := cmp.Diff(want, picture(t, r)); diff != "" {
			t.Fatalf("killed at %q (-want +got):\n%s", p, diff)
		}
	}
}

// runAndKill has a child die at a failpoint, or at a moment.
func runAndKill(t *testing.T, c Config, p failpoint.Point, rnd *rand.Rand) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %d", childEnv, c.Name, c.PublicPool, c.RunDir, rnd.Uint32()))
	mark := filepath.Join(t.TempDir(), "mark")
	if p != "" {
		cmd.Env = append(cmd.Env, fmt.Sprintf("FAILPOINT=%s %d %s", p, 1+rnd.IntN(3), mark))
	}
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	const most = 400 // configurations: a point that is not reached by then is not reached; links go many at a time
	lines, kill := bufio.NewScanner(out), most
	if p == "" {
		kill = rnd.IntN(12)
	}
	after := time.Duration(rnd.IntN(20)) * time.Millisecond
	for i := 0; lines.Scan(); i++ {
		if i == kill {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait()
	if _, err := os.Stat(mark); p != "" && err != nil {
		t.Errorf("%s was not reached", p)
	}
}
