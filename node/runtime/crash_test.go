package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/runtime/again"
	"github.com/berth-ecs/berth/node/runtime/daemon"
)

// TestMain lets this binary be `berth hold`, and the node process that the crash
// tests kill.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "hold" {
		c, err := hold.ParseFlags(os.Args[2:])
		if err == nil {
			c.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
			err = hold.Main(context.Background(), c)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "node" {
		if err := crashNode(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// killDaemon kills containerd and waits for its successor.
func (n *node) killDaemon() {
	n.t.Helper()
	old := n.daemon.Pid()
	if err := unix.Kill(old, unix.SIGKILL); err != nil {
		n.t.Fatal(err)
	}
	n.until("a new containerd", func() bool { return n.daemon.Pid() != old })
}

func TestKillOfContainerd(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	events := n.Events(t.Context())
	<-events
	a, b := sh(task, "trap 'exit 9' TERM; touch /ready/it; while :; do sleep 0.05; done", img), second(sh(task, "sleep 100", img), 2)
	a.User = "app"
	pidA, pidB := n.startReady(a), n.start(b)
	for range 3 {
		n.killDaemon()
		if s := n.stateOf(a.ID); s.Status != Running || s.Pid != pidA {
			t.Fatalf("after the kill: %+v", s)
		}
	}
	if s := n.stateOf(b.ID); s.Pid != pidB {
		t.Errorf("after the kills: %+v", s)
	}
	if err := n.Kill(t.Context(), a.ID, ""); err != nil {
		t.Error(err)
	}
	// The exit may be told before the gap; both are.
	var gap, exit bool
	for e := range events {
		gap = gap || e.Gap
		exit = exit || (e.ID == a.ID && e.ExitCode == 9)
		if gap && exit {
			break
		}
	}
}

// TestExitWhileContainerdIsDown: the exit code survives although nobody was
// there to be told.
func TestExitWhileContainerdIsDown(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{MemoryMiB: 64})
	c := sh(task, "trap 'exit 23' TERM; touch /ready/it; while :; do sleep 0.05; done", img)
	pid := n.startReady(c)
	release, err := daemon.LockFile(n.c.RunDir + "/containerd.lock") // keeps the successor waiting
	if err != nil {
		t.Fatal(err)
	}
	unlock := sync.OnceFunc(release)
	defer unlock()
	old := n.daemon.Pid()
	if err := unix.Kill(old, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	n.until("the end of containerd", func() bool { return !alive(old) })
	if err := unix.Kill(pid, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	n.until("the end of the container", func() bool { return !alive(pid) })
	unlock()
	if s := n.exited(c.ID); s.ExitCode != 23 || s.ExitedAt.IsZero() {
		t.Errorf("state %+v", s)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	n.checkNothingLeft()
}

func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	if _, rest, _ := strings.Cut(string(text), ") "); !strings.HasPrefix(rest, "Z") {
		return true
	}
	// The first thread is a zombie while others still end, and these hold the process's sockets open.
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return err == nil && len(threads) > 1
}

func TestTheNextProcessAdopts(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	c := sh(task, "sleep 100", img)
	pid, old := n.start(c), n.daemon.Pid()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.open()
	if n.daemon.Pid() != old {
		t.Error("containerd was started anew")
	}
	if s := n.stateOf(c.ID); s.Pid != pid {
		t.Errorf("state %+v", s)
	}
	if err := n.Prepare(t.Context(), Task{ID: task}); err != nil {
		t.Error(err)
	}
	n.start(second(c, 2))
	if s := n.c.shims().Processes(); len(s) != 1 {
		t.Errorf("shims: %v", s)
	}
}

func TestKillOfAShim(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	c := sh(task, "sleep 100", img)
	pid := n.start(c)
	shims := n.c.shims().Processes()
	if len(shims) != 1 {
		t.Fatalf("shims: %v", shims)
	}
	if err := unix.Kill(shims[0].Pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if s := n.exited(c.ID); s.OOMKilled {
		t.Errorf("state %+v", s)
	}
	n.until("the end of its container", func() bool { return !alive(pid) })
	if _, s := n.output(second(sh(task, "exit 6", img), 2)); s.ExitCode != 6 {
		t.Errorf("the task's next container: %+v", s)
	}
}

// crashPlan is what the node process of the crash test does until it is killed.
type crashPlan struct {
	Name, RunDir, DataDir string
	Image                 Image
	Task                  string
}

func crashNode(plan string) error {
	var p crashPlan
	if err := json.Unmarshal([]byte(plan), &p); err != nil {
		return err
	}
	ctx := context.Background()
	r, err := Open(ctx, Config{Name: p.Name, BinDir: binDir, RunDir: p.RunDir, DataDir: p.DataDir})
	if err != nil {
		return err
	}
	fmt.Println("open")
	for i := 1; ; i++ {
		if err := r.Prepare(ctx, Task{ID: p.Task, MemoryMiB: 64}); err != nil {
			return err
		}
		c := second(sh(p.Task, "sleep 100", p.Image), i)
		if err := r.Create(ctx, c); err != nil {
			return err
		}
		if _, _, err := r.Start(ctx, c.ID); err != nil {
			return err
		}
		if i%2 == 0 {
			if err := r.Delete(ctx, c.ID); err != nil {
				return err
			}
		}
	}
}

// TestKillOfTheNode kills the process that uses the runtime at many instants
// inside its verbs, and then asks for the same again.
func TestKillOfTheNode(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	for round := range 8 {
		plan := crashPlan{Name: n.c.Name, RunDir: n.c.RunDir, DataDir: n.c.DataDir, Image: img, Task: randomHex(16)}
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "node", string(text))
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		again.Pause(t.Context(), time.Duration(10+17*round)*time.Millisecond)
		if round%2 == 1 {
			n.killDaemon()
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		n.again(plan)
	}
}

// again does what the killed process did, and then lets go of it.
func (n *node) again(p crashPlan) {
	n.t.Helper()
	ctx := n.t.Context()
	if err := n.Sweep(ctx, func(task string) bool { return task == p.Task }); err != nil {
		n.t.Fatal(err)
	}
	if err := n.Prepare(ctx, Task{ID: p.Task, MemoryMiB: 64}); err != nil {
		n.t.Fatal(err)
	}
	c := sh(p.Task, "sleep 100", p.Image)
	before := n.stateOf(c.ID)
	pid := n.start(c)
	if before.Status == Running && pid != before.Pid {
		n.t.Errorf("a running container was started again: %+v, now %d", before, pid)
	}
	if err := n.Release(ctx, p.Task); err != nil {
		n.t.Fatal(err)
	}
	n.checkNothingLeft()
}

func TestSweep(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	wanted, other := n.task(Task{}), n.task(Task{})
	kept := sh(wanted, "sleep 100", img)
	pid := n.start(kept)
	n.start(sh(other, "sleep 100", img))
	if err := n.Sweep(t.Context(), func(task string) bool { return task == wanted }); err != nil {
		t.Fatal(err)
	}
	list, err := n.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Pid != pid {
		t.Errorf("left: %+v %v", list, err)
	}
	if s := n.c.shims().Processes(); len(s) != 1 || s[0].Task != wanted {
		t.Errorf("shims: %v", s)
	}
}

// TestSweepEndsPulls: a process killed inside a pull leaves a lease and a view.
func TestSweepEndsPulls(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	ctx, _, err := n.hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.cd.SnapshotService(snapshotter).View(ctx, viewPrefix+img.ChainID, img.ChainID); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.open()
	if err := n.Sweep(t.Context(), func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	n.checkNothingLeft()
}
