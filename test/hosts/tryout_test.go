package hosts_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/tryout"
	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/test/audit/inventory"
	"github.com/berth-ecs/berth/test/installation"
)

// tried is a region of several machines that `berth up` makes, as a user has it.
type tried struct {
	t         *testing.T
	exe       string
	name      string
	data, run string
	environ   []string
	network   string
}

func try(t *testing.T) *tried {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes namespaces, links and containers")
	}
	exe, err := installation.Program(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sweepTried(t, exe)
	var b [2]byte
	_, _ = rand.Read(b[:])
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u := &tried{t: t, exe: exe, name: "u" + hex.EncodeToString(b[:])[:3], network: fmt.Sprintf("10.%d.%d.0/24", 100+mathrand.IntN(100), mathrand.IntN(256))}
	u.run = "/run/" + u.name
	if u.data, err = os.MkdirTemp("", "berth-"+u.name+"-"); err != nil {
		t.Fatal(err)
	}
	u.environ = append(os.Environ(), "BERTH_NAME="+u.name, "BERTH_DATA_DIR="+u.data, "BERTH_RUN_DIR="+u.run, "BERTH_LISTEN="+l.Addr().String(),
		"BERTH_FARGATE_STORAGE=100000", "BERTH_REGION="+installation.Region, "BERTH_ACCOUNT="+installation.Account)
	word := filepath.Join(triedWords, u.name)
	if err := errors.Join(os.MkdirAll(triedWords, 0o755), os.WriteFile(word, []byte(u.data), 0o600)); err != nil {
		t.Fatal(err)
	}
	held, err := netspace.Lock(word)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		u.end()
		_, _ = os.Remove(word), held.Close()
	})
	return u
}

// triedWords is where each test leaves word of its machines until they are gone: whoever comes after one that was killed takes them down.
const triedWords = "/run/berth-tried"

// sweepTried takes down what tests left whose process has ended.
func sweepTried(t *testing.T, exe string) {
	t.Helper()
	words, _ := filepath.Glob(filepath.Join(triedWords, "*"))
	for _, word := range words {
		held, err := netspace.Lock(word)
		if err != nil {
			continue // somebody is at it
		}
		name, data := filepath.Base(word), ""
		if text, err := os.ReadFile(word); err == nil {
			data = string(text)
		}
		if data != "" {
			cmd := exec.CommandContext(t.Context(), exe, "down", "--purge")
			cmd.Env = append(os.Environ(), "BERTH_NAME="+name, "BERTH_DATA_DIR="+data, "BERTH_RUN_DIR=/run/"+name)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("what %s left: %v\n%s", name, err, out)
			}
		}
		_, _ = os.Remove(word), held.Close()
	}
}

// end removes it, whatever the test did to it, and looks for what stayed.
func (u *tried) end() {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if u.t.Failed() {
		logs, _ := filepath.Glob(filepath.Join(u.data, "hosts", "*.log"))
		for _, path := range append(logs, filepath.Join(u.data, "berth.log")) {
			text, _ := os.ReadFile(path)
			u.t.Logf("--- %s\n%s", path, text[max(0, len(text)-3000):])
		}
	}
	machines, _ := filepath.Glob(filepath.Join(u.data, "hosts", "*"))
	if out, err := u.berth(ctx, "down", "--purge"); err != nil {
		u.t.Errorf("down: %v\n%s", err, out)
	}
	u.nothing(ctx, append(machines, u.name))
}

// nothing says what is left of machines: namespaces, links, rules, cgroups, mounts, processes, files.
func (u *tried) nothing(ctx context.Context, machines []string) {
	u.t.Helper()
	spaces, _ := filepath.Glob("/run/netns/" + u.name + "*")
	dirs, _ := filepath.Glob(u.run + "*")
	if left := append(spaces, dirs...); len(left) > 0 {
		u.t.Errorf("left: %v", left)
	}
	if _, err := os.Stat(u.data); !errors.Is(err, os.ErrNotExist) {
		u.t.Errorf("the data is still there: %v", err)
	}
	links, _ := net.Interfaces()
	for _, l := range links {
		if strings.HasPrefix(l.Name, u.name) {
			u.t.Errorf("link %s is still there", l.Name)
		}
	}
	if rules, err := exec.CommandContext(ctx, "nft", "list", "ruleset").Output(); err != nil || strings.Contains(string(rules), u.name+"_") {
		u.t.Errorf("rules are still there (%v): %s", err, rules)
	}
	for _, m := range machines {
		name := u.name + strings.TrimPrefix(filepath.Base(m), u.name)
		v, err := inventory.Take(ctx, inventory.Options{Name: name, RunDir: filepath.Join(u.run, filepath.Base(m)), DataDir: m})
		if err != nil {
			u.t.Error(err)
		}
		for _, left := range inventory.Empty(v) {
			u.t.Errorf("%s left %s", name, left)
		}
	}
}

func (u *tried) berth(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, u.exe, args...)
	cmd.Env = u.environ
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must is a command that has to work.
func (u *tried) must(args ...string) string {
	u.t.Helper()
	out, err := u.berth(u.t.Context(), args...)
	if err != nil {
		u.t.Fatalf("berth %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// host is a machine's line of `berth host`.
func (u *tried) host(name string) []string {
	u.t.Helper()
	for line := range strings.Lines(u.must("host")) {
		if f := strings.Fields(line); f[0] == name {
			return f
		}
	}
	u.t.Fatalf("berth host does not show %s", name)
	return nil
}

// A user makes three servers and three nodes on one machine, does to them what happens to machines, and takes them down.
func TestSeveralMachinesAreTriedOut(t *testing.T) {
	u := try(t)
	up := u.must("up", "--servers=3", "--nodes=3", "--network="+u.network)
	if !strings.Contains(up, "3 servers and 3 nodes on "+u.network) {
		t.Errorf("up said\n%s", up)
	}
	if fleet := u.must("machines"); strings.Count(fleet, "follows") != 2 || strings.Count(fleet, " node ") != 3 {
		t.Errorf("machines:\n%s", fleet)
	}
	if status := u.must("status"); !strings.Contains(status, "ready") || !regexp.MustCompile(`default\s+ACTIVE\s+3`).MatchString(status) {
		t.Errorf("status:\n%s", status)
	}
	clients(u)

	// The endpoint outlives any one server.
	some := []string{"s1"}
	if os.Getenv("BERTH_TEST_LONG") != "" {
		some = []string{"s1", "s2", "s3"}
	}
	for _, s := range some {
		u.must("host", "kill", s)
		clients(u)
		if got := u.host(s); got[3] != "died" {
			t.Errorf("a server that was killed: %v", got)
		}
		u.must("host", "start", s)
	}
	u.must("host", "cut", "s1")
	clients(u)
	u.must("host", "slow", "s2", "--delay=5ms", "--jitter=5ms", "--loss=1")
	clients(u)
	u.must("host", "mend", "s1", "s2")
	u.must("host", "clock", "n2", "--behind=4m")

	// A machine that was lost is replaced by one of its name.
	u.must("host", "lose", "s3", "n1")
	if got := u.host("n1"); got[4] != "lost" {
		t.Errorf("a machine that was lost: %v", got)
	}
	u.must("machines", "remove-server", "s3")
	u.must("host", "start", "s3", "n1")
	if fleet := u.must("machines"); strings.Count(fleet, "follows") != 2 {
		t.Errorf("machines after s3 was replaced:\n%s", fleet)
	}
	if name := strings.TrimSpace(u.must("host", "add", "node")); name != "n4" {
		t.Errorf("a new node is %q", name)
	}
	u.must("host", "remove", "n4")
	if out, err := u.berth(t.Context(), "host", "stop", "n4"); err == nil || !strings.Contains(out, `no machine "n4": they are s1, s2, s3, n1, n2, n3`) {
		t.Errorf("stop of a machine that was removed: %v\n%s", err, out)
	}
	if got := u.must("host", "run", "n2", "berth", "doctor"); !strings.Contains(got, "cgroup") {
		t.Errorf("doctor on n2:\n%s", got)
	}

	// Everything is stopped, and is there again with what it knew.
	u.must("down")
	u.must("up")
	if clusters := u.aws("ecs", "list-clusters"); !strings.Contains(clusters, "cluster/default") {
		t.Errorf("clusters after down and up: %s", clusters)
	}
}

// clients are the AWS CLI and berth's own commands, which find the region as ever.
func clients(u *tried) {
	u.t.Helper()
	if said := u.aws("sts", "get-caller-identity"); !strings.Contains(said, installation.Account) {
		u.t.Errorf("the AWS CLI is told %q", said)
	}
	u.must("status")
}

// aws calls the AWS CLI with what `berth env` prints.
func (u *tried) aws(args ...string) string {
	u.t.Helper()
	cmd := exec.CommandContext(u.t.Context(), "sh", "-c", `eval "$("$0" env)" && exec aws "$@"`, u.exe)
	cmd.Args = append(cmd.Args, args...)
	cmd.Env = u.environ
	out, err := cmd.CombinedOutput()
	if err != nil {
		u.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Whatever is killed, and `berth up` itself at any moment, the next `berth up` makes whole, and `berth down` leaves nothing.
func TestSeveralMachinesAreMendedAfterACrash(t *testing.T) {
	u := try(t)
	for _, after := range []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 600 * time.Millisecond, 1500 * time.Millisecond} {
		cmd := exec.CommandContext(t.Context(), u.exe, "up", "--servers=3", "--nodes=2", "--network="+u.network)
		cmd.Env = u.environ
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // killed, or done
		timer.Stop()
	}
	u.must("up", "--servers=3", "--nodes=2", "--network="+u.network)
	clients(u)
	u.must("host", "slow", "n1", "--delay=5ms")

	u.killFront()
	for _, m := range []string{"s1", "s2", "n1"} {
		pids, err := tryout.Processes(u.name + m)
		if err != nil || len(pids) == 0 {
			t.Fatalf("processes of %s: %v (%v)", m, pids, err)
		}
		for _, pid := range pids { // one, and at times what it is about to start, which looks like it
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	u.must("up")
	clients(u)
	u.must("host", "run", "n1", "berth", "doctor")
	u.killFront() // what is taken down is not whole
}

// killFront ends the process that is the endpoint.
func (u *tried) killFront() {
	u.t.Helper()
	text, err := os.ReadFile(filepath.Join(u.run, "berth.pid"))
	if err != nil {
		u.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		u.t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		u.t.Fatal(err)
	}
}
