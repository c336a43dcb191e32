package keeper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/runtime/cgroup"
	"github.com/berth-ecs/berth/node/runtime/tiny"
)

func newKeeper(t *testing.T) Config {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	cg, err := cgroup.Open("")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := Config{
		Program: filepath.Join(dir, "tiny"), Dir: dir, Shm: filepath.Join(dir, "shm"), Cgroups: cg,
		Parent: fmt.Sprintf("/k%x", time.Now().UnixNano()&0xfffff),
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Release(context.WithoutCancel(t.Context()), "task"), cg.Remove(c.Parent)); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestKeeper(t *testing.T) {
	c := newKeeper(t)
	const mebi = 1 << 20
	if pid, err := c.Pid("task"); pid != 0 || err != nil {
		t.Error(pid, err)
	}
	var first int
	for range 2 { // idempotent
		if err := c.Ensure(t.Context(), "task", mebi); err != nil {
			t.Fatal(err)
		}
		pid, err := c.Pid("task")
		if err != nil || first != 0 && pid != first {
			t.Errorf("pid %d became %d: %v", first, pid, err)
		}
		first = pid
	}
	shown(t, first)
	if tasks, err := c.Tasks(); err != nil || len(tasks) != 1 || tasks[0] != "task" {
		t.Error(tasks, err)
	}
	for range 2 {
		if err := c.Release(t.Context(), "task"); err != nil {
			t.Error(err)
		}
	}
	if err := syscall.Kill(first, 0); !errors.Is(err, syscall.ESRCH) && !zombie(first) {
		t.Error("it is still there:", err)
	}
	if tasks, err := c.Tasks(); err != nil || len(tasks) != 0 {
		t.Error(tasks, err)
	}
}

// shown looks at what the process shows of the machine.
func shown(t *testing.T, pid int) {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d/", pid)
	for _, dir := range []string{"root/", "fd/"} {
		entries, err := os.ReadDir(proc + dir)
		for end := time.Now().Add(time.Minute); len(entries) > 0 && time.Now().Before(end); entries, err = os.ReadDir(proc + dir) {
			<-time.After(time.Millisecond) // it says that it is there before it closes what it says it by
		}
		if err != nil || len(entries) != 0 {
			t.Errorf("%s: %v %v", dir, entries, err)
		}
	}
	mounts, err := os.ReadFile(proc + "mountinfo")
	if err != nil || strings.Count(string(mounts), "\n") != 1 {
		t.Errorf("mounts: %s %v", mounts, err)
	}
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Uid:\t65534\t65534\t65534\t65534", "Groups:\t \n", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000"} {
		if !strings.Contains(string(status), line) {
			t.Errorf("status has no %q:\n%s", line, status)
		}
	}
	for _, kind := range []string{"pid", "ipc", "net", "uts", "mnt"} {
		ours, err := os.Readlink("/proc/self/ns/" + kind)
		theirs, terr := os.Readlink(Namespace(pid, kind))
		if err != nil || terr != nil || ours == theirs {
			t.Errorf("%s: %s and %s, %v %v", kind, ours, theirs, err, terr)
		}
	}
}

func zombie(pid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Contains(string(stat), ") Z ")
}

// One whose starter died before it was in its cgroup ends by itself.
func TestOrphanEnds(t *testing.T) {
	c := newKeeper(t)
	if err := tiny.Install(c.Program); err != nil {
		t.Fatal(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	p, err := os.StartProcess(c.Program, []string{c.Program, "pause", c.Dir}, &os.ProcAttr{
		Files: []*os.File{null}, Sys: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS},
	})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := p.Wait(); err != nil || s.ExitCode() != 1 {
		t.Error(s, err)
	}
}
