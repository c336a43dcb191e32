package network

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// childEnv makes the test binary a process that attaches and detaches until it is killed: "name subnet rundir".
const childEnv = "BERTH_TEST_NETWORK_CHILD"

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

// child writes "+id" when an endpoint is attached and "-id" before one is detached.
func child(spec string) error {
	f := strings.Fields(spec)
	n, err := Open(context.Background(), Config{Name: f[0], Subnet: netip.MustParsePrefix(f[1]), RunDir: f[2]})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("w%d-%d", w, i%5)
				mode, ports := Bridge, []Port{{ContainerPort: 80}, {ContainerPortRange: "90-99", Protocol: "udp"}}
				if i%7 == 6 {
					mode, ports = None, nil
				}
				fmt.Printf("-%s\n", id)
				if err := n.Detach(context.Background(), id); err != nil {
					failed <- err
				}
				if _, err := n.Attach(context.Background(), id, mode, ports); err != nil {
					failed <- err
				}
				fmt.Printf("+%s\n", id)
			}
		}()
	}
	return <-failed
}

func TestKilledAtAnyPoint(t *testing.T) {
	t.Parallel()
	n := open(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 4 {
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		alive := runAndKill(t, n.cfg, 20+r.IntN(60))
		n = reopen(t, n)
		checkSurvivors(t, n, round, alive)
	}
	if err := n.Sweep(t.Context(), func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	wantClean(t, n, 0)
	for _, item := range audit(t, n).Items {
		if item.Owner != "" {
			t.Errorf("left: %s", item)
		}
	}
}

// runAndKill kills a child after a number of lines and returns the endpoints that it said are attached.
func runAndKill(t *testing.T, c Config, lines int) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s", childEnv, c.Name, c.Subnet, c.RunDir))
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	attached := map[string]bool{}
	s := bufio.NewScanner(out)
	for i := 0; s.Scan(); i++ { // lines written before the kill count, however late they are read
		attached[s.Text()[1:]] = s.Text()[0] == '+'
		if i == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	var alive []string
	for id, on := range attached {
		if on {
			alive = append(alive, id)
		}
	}
	return alive
}

// checkSurvivors: what was said to be attached still is, and whatever exists is whole.
func checkSurvivors(t *testing.T, n *Network, round int, alive []string) {
	t.Helper()
	got, err := n.Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range alive {
		if !slices.ContainsFunc(got, func(e Endpoint) bool { return e.ID == id }) {
			t.Errorf("round %d: %s was attached and is gone", round, id)
		}
	}
	for _, e := range got {
		// In the middle of Detach the ports are gone and the namespace is not: that is whole too.
		if e.Mode == Bridge && len(e.Ports) != 2 && slices.Contains(alive, e.ID) {
			t.Errorf("round %d: %s has %d bindings, want 2", round, e.ID, len(e.Ports))
		}
		if !netspace.Mounted(e.Netns) {
			t.Errorf("round %d: %s has no namespace", round, e.ID)
		}
	}
	v, err := n.look()
	if err != nil {
		t.Fatal(err)
	}
	if len(v.files) > 0 {
		t.Errorf("round %d: files %v are left", round, v.files)
	}
	for _, p := range v.published {
		if !slices.ContainsFunc(got, func(e Endpoint) bool { return e.ID == p.ID }) {
			t.Errorf("round %d: port %d is published for nobody (%s)", round, p.HostPort, p.ID)
		}
	}
}
