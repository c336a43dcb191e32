package cgroup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestWeights(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ weight, cpus, one, two int }{
		{WeightTasks, 2, 2048, 100}, {WeightOwn, 2, 16384, 800}, {WeightHold, 1, 1024, 100}, {WeightHold, 0, 1024, 100},
		{WeightOwn, 64, 262144, 800}, {1000, 1, 262144, 10000},
	} {
		if one, two := shares1(c.weight, c.cpus), weight2(c.weight); one != c.one || two != c.two {
			t.Errorf("%d on %d: %d and %d, want %d and %d", c.weight, c.cpus, one, two, c.one, c.two)
		}
	}
}

// Tasks weigh in proportion to their units, within what the kernel takes.
func TestSharesOfUnits(t *testing.T) {
	t.Parallel()
	for units, want := range map[uint64][2]uint64{
		0: {2, 1}, 1: {2, 1}, 2: {2, 1}, 11: {11, 1}, 256: {256, 25}, 1024: {1024, 100}, 10240: {10240, 1000}, 1 << 20: {262144, 10000},
	} {
		if one, two := shares(units); one != want[0] || two != want[1] {
			t.Errorf("%d units: %d and %d, want %v", units, one, two, want)
		}
	}
}

func TestTasksWeigh(t *testing.T) {
	t.Parallel()
	one := func() Hierarchy { return Hierarchy{root: files(t, map[string]string{"cpu/cpu.shares": ""})} }
	two := func() Hierarchy {
		return Hierarchy{unified: true, root: files(t, map[string]string{"cgroup.controllers": "cpu\n", "x/cgroup.controllers": "cpu\n"})}
	}
	for _, c := range []struct {
		h          Hierarchy
		file, want string
	}{{one(), "cpu/x/cpu.shares", "4096"}, {two(), "x/cpu.weight", "100"}} {
		if err := c.h.Tasks("/x", 4); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(c.h.root, c.file)); err != nil || string(got) != c.want {
			t.Errorf("%s: %q %v", c.file, got, err)
		}
	}
}

// On v2 a cgroup that has processes hands nothing down: the kernel would refuse both.
func TestAPlaceOnV2HandsNothingDown(t *testing.T) {
	t.Parallel()
	h := &Hierarchy{unified: true, root: files(t, map[string]string{"cgroup.controllers": "cpu memory\n"})}
	p := h.Own("x")
	if err := p.make(WeightOwn, 2); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"cgroup.subtree_control": "+memory", "x-own/cpu.weight": "800"} {
		if got, err := os.ReadFile(filepath.Join(h.root, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if _, err := os.Stat(p.file("cgroup.subtree_control")); err == nil {
		t.Error("controllers were handed down")
	}
}

func TestMember(t *testing.T) {
	t.Parallel()
	const text = "9:name=systemd:/s\n4:memory:/m:n\n2:cpu,cpuacct:/c:d\n1:cpuset:/no\n0::/u\n"
	if one, two := memberOf(text, false), memberOf(text, true); one != "/c:d" || two != "/u" {
		t.Errorf("%q and %q", one, two)
	}
	if got := memberOf("4:memory:/m\n", false); got != "" {
		t.Errorf("without the hierarchy: %q", got)
	}
}

func TestMovable(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/": true, "/user.slice/user-0.slice/session-3.scope": true, "/system.slice/berth.service": false, "": false,
		"/system.slice/docker-0123.scope": false, "/kubepods/x": false, "/x-own": false,
	} {
		if got := movable(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// What is started in a place is there from its beginning, and the thread that started it is not.
func TestStartInAPlace(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	h, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	name := unique()
	p := h.Hold(name)
	if err := p.make(WeightHold, 2); err != nil {
		t.Skipf("no cgroup can be made: %v", err)
	}
	t.Cleanup(func() {
		if err := h.Unsettle(name); err != nil {
			t.Error(err)
		}
	})
	before, err := h.Processes(p.path)
	if err != nil || len(before) != 0 {
		t.Fatalf("%v %v", before, err)
	}
	if got := startedIn(t, p, h.unified); got != p.path {
		t.Errorf("started in %q", got)
	}
	if left, err := h.Processes(p.path); len(left) != 0 || err != nil {
		t.Errorf("left there: %v %v", left, err)
	}
	threads, _ := os.ReadFile(p.file("tasks"))
	if len(strings.Fields(string(threads))) != 0 {
		t.Errorf("threads left there: %s", threads)
	}
	if got := startedIn(t, h.Hold(name+"none"), h.unified); got == p.path || got == "" {
		t.Errorf("without the cgroup: %q", got)
	}
}

// What is in a place ends, but for the one that is spared.
func TestKillInAPlace(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	h, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	name := unique()
	p := h.Hold(name)
	if err := p.make(WeightHold, 2); err != nil {
		t.Skipf("no cgroup can be made: %v", err)
	}
	t.Cleanup(func() {
		if err := h.Unsettle(name); err != nil {
			t.Error(err)
		}
	})
	if found, err := p.Kill(0); found || err != nil {
		t.Errorf("in an empty one: %v %v", found, err)
	}
	var cmds [2]*exec.Cmd
	for i := range cmds {
		cmds[i] = exec.Command("sleep", "1000")
		cmds[i].SysProcAttr = &syscall.SysProcAttr{}
		if err := p.Start(cmds[i]); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmds[i].Process.Kill() })
	}
	spared := cmds[1].Process.Pid
	if found, err := p.Kill(spared); !found || err != nil {
		t.Errorf("%v %v", found, err)
	}
	if err := cmds[0].Wait(); err == nil || cmds[0].ProcessState.ExitCode() != -1 {
		t.Error("it was not killed:", err)
	}
	if left, err := h.Processes(p.path); len(left) != 1 || left[0] != spared || err != nil {
		t.Errorf("left: %v %v, and %d was spared", left, err, spared)
	}
	if found, err := p.Kill(0); !found || err != nil {
		t.Errorf("%v %v", found, err)
	}
	_ = cmds[1].Wait()
}

// startedIn starts a program that says where it is.
func startedIn(t *testing.T, p Place, unified bool) string {
	t.Helper()
	var out strings.Builder
	cmd := exec.Command("cat", "/proc/self/cgroup")
	cmd.Stdout, cmd.SysProcAttr = &out, &syscall.SysProcAttr{}
	if err := p.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return memberOf(out.String(), unified)
}

// unique is the name of an installation that no other test has.
func unique() string {
	return fmt.Sprintf("cg%d_%d", os.Getpid(), uniques.Add(1))
}

var uniques atomic.Int64
