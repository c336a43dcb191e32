package runtime

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/runtime/execute"
)

func TestStartAndExitCode(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	out, s := n.output(sh(task, "echo hello $HOSTNAME; exit 7", img))
	if s.ExitCode != 7 || s.OOMKilled || !strings.HasPrefix(out, "hello") {
		t.Errorf("state %+v, output %q", s, out)
	}
	if err := n.Delete(t.Context(), s.ID); err != nil {
		t.Error(err)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error("again:", err)
	}
	n.checkNothingLeft()
}

func TestVerbsAreIdempotent(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{CPU: 0.5, MemoryMiB: 64})
	if err := n.Prepare(t.Context(), Task{ID: task, CPU: 0.5, MemoryMiB: 64}); err != nil {
		t.Error("prepare:", err)
	}
	c := sh(task, "sleep 100", img)
	c.Labels = map[string]string{"arn": "x"}
	pid := n.start(c)
	if err := n.Create(t.Context(), c); err != nil {
		t.Error("create of a running one:", err)
	}
	bad := c
	bad.User = "nobody-at-all"
	if err := n.Create(t.Context(), bad); err != nil || n.stateOf(c.ID).Pid != pid {
		t.Errorf("a creation that cannot succeed touched a running container: %v, %+v", err, n.stateOf(c.ID))
	}
	again, _, err := n.Start(t.Context(), c.ID)
	if err != nil || again != pid {
		t.Errorf("start again: pid %d, then %d, %v", pid, again, err)
	}
	want := State{ID: c.ID, TaskID: task, Name: "c", Labels: c.Labels, Status: Running, Pid: pid}
	if d := cmp.Diff(want, n.stateOf(c.ID)); d != "" {
		t.Error(d)
	}
	if err := n.Kill(t.Context(), c.ID, "KILL"); err != nil {
		t.Error("kill:", err)
	}
	if s := n.exited(c.ID); s.ExitCode != 137 {
		t.Errorf("exit code %d", s.ExitCode)
	}
	if err := n.Kill(t.Context(), c.ID, ""); err != nil {
		t.Error("kill of a dead one:", err)
	}
	for range 2 {
		if err := n.Delete(t.Context(), c.ID); err != nil {
			t.Error("delete:", err)
		}
	}
}

func TestContainersOfATaskShareOneShim(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() { n.start(second(sh(task, "sleep 100", img), i+1)) })
	}
	wg.Wait()
	if s := n.c.shims().Processes(); len(s) != 1 {
		t.Errorf("shims: %v", s)
	}
	// A container that comes after the others have gone starts a shim anew.
	for i := range 3 {
		if err := n.Delete(t.Context(), second(sh(task, "", img), i+1).ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, s := n.output(second(sh(task, "exit 3", img), 4)); s.ExitCode != 3 {
		t.Errorf("after the others: %+v", s)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Error(err)
	}
	n.checkNothingLeft()
}

func TestOOMNamesTheVictim(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{MemoryMiB: 64}) // the task's limit, not a container's
	victim := sh(task, `x=a; while :; do x="$x$x"; done`, img)
	other := second(sh(task, "sleep 100", img), 2)
	n.start(other)
	n.start(victim)
	if s := n.exited(victim.ID); !s.OOMKilled || s.ExitCode != 137 {
		t.Errorf("victim: %+v", s)
	}
	if err := n.Kill(t.Context(), other.ID, "SIGKILL"); err != nil {
		t.Error(err)
	}
	if s := n.exited(other.ID); s.OOMKilled {
		t.Errorf("the other container is called a victim: %+v", s)
	}
}

func TestLimitsAreHard(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{CPU: 0.2, MemoryMiB: 128})
	c := sh(task, "while :; do :; done", img)
	c.MemoryMiB, c.CPUShares = 32, 256
	n.start(c)
	s, err := n.Stats(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if s.Cgroup.MemoryLimit != 32<<20 || s.Cgroup.Pids == 0 || s.Networks["lo"].RxBytes == 0 && s.Networks["lo"].RxPackets != 0 {
		t.Errorf("stats: %+v", s)
	}
	n.until("CPU throttling of the task", func() bool {
		used, err := n.cg.Stats(n.taskCgroup(task))
		if err != nil {
			t.Fatal(err)
		}
		return used.ThrottledPeriods > 2 && used.MemoryLimit == 128<<20
	})
}

func TestExec(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	c := sh(task, "sleep 100", img)
	c.Env, c.User, c.WorkingDirectory = []string{"A=b"}, "app", "/home/app"
	n.start(c)
	code, out, err := n.Exec(t.Context(), c.ID, []string{"/bin/sh", "-c", "echo $A; id; pwd; echo err >&2; exit 4"}, time.Minute)
	if err != nil || code != 4 {
		t.Errorf("code %d, %v", code, err)
	}
	for _, want := range []string{"b\n", "uid=1000(app) gid=1000(app) groups=2000(extra)", "/home/app\n", "err\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("output %q lacks %q", out, want)
		}
	}
	_, out, err = n.Exec(t.Context(), c.ID, []string{"/bin/yes"}, 2*time.Second)
	if !errors.Is(err, ErrExecTimeout) || len(out) != execute.MaxOutput {
		t.Errorf("an exec without end: %d bytes, %v", len(out), err)
	}
	if _, _, err = n.Exec(t.Context(), c.ID, []string{"/none"}, time.Minute); err == nil {
		t.Error("an exec of nothing went well")
	}
	if left, err := filepath.Glob(filepath.Join(n.c.execDir(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	ctx, cancel := context.WithCancel(t.Context())
	events := n.Events(ctx)
	if e := <-events; !e.Gap {
		t.Fatalf("the first event is %+v, not a gap", e)
	}
	c := sh(task, "exit 5", img)
	n.start(c)
	e := <-events
	if e.At.IsZero() || time.Since(e.At) > time.Minute {
		t.Errorf("time of the exit: %v", e.At)
	}
	e.At = time.Time{}
	if d := cmp.Diff(Event{ID: c.ID, ExitCode: 5}, e); d != "" {
		t.Error(d)
	}
	cancel()
	for range events { //nolint:revive // ends when the channel is closed
	}
}

func TestMountsAndReadonlyRootfs(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("data\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "made")
	c := sh(task, "cat /v/f; touch /v/new && echo wrote; touch /ro/x || echo ro; touch /x || echo rootro; touch /t/x && echo tmpfs; cat /sys/fs/cgroup/memory*/memory.*limit_in_bytes /sys/fs/cgroup/memory.max", img)
	c.Mounts = []Mount{{Source: dir, Target: "/v"}, {Source: dir, Target: "/ro", ReadOnly: true}, {Target: "/t", Tmpfs: true}, {Source: missing, Target: "/m"}}
	c.ReadonlyRootfs, c.MemoryMiB = true, 32
	out, _ := n.output(c)
	for _, want := range []string{"data\n", "wrote\n", "ro\n", "rootro\n", "tmpfs\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("output %q lacks %q", out, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(missing); err != nil {
		t.Error("a missing source is not made:", err)
	}
}

func TestSecurityDefaults(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	out, _ := n.output(sh(task, "grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status; cat /proc/kcore | head -c1 | wc -c; mount -t tmpfs x /tmp || echo nomount", img))
	for _, want := range []string{"CapEff:\t00000000a80425fb\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n", "0\n", "nomount\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("output %q lacks %q", out, want)
		}
	}
	p := second(sh(task, "grep -E 'Seccomp:|NoNewPrivs' /proc/self/status; mount -t tmpfs x /tmp && echo mounted; ls /dev | wc -l", img), 2)
	p.Privileged = true
	out, _ = n.output(p)
	for _, want := range []string{"NoNewPrivs:\t0\n", "Seccomp:\t0\n", "mounted\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("privileged: output %q lacks %q", out, want)
		}
	}
	u := second(sh(task, "ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_unprivileged_port_start", img), 3)
	u.Ulimits = []Ulimit{{Name: "nofile", Soft: 100, Hard: 200}}
	if out, _ = n.output(u); !strings.HasPrefix(out, "100\n200\n") {
		t.Errorf("ulimits: %q", out)
	}
}

func TestErrorsHaveTheAgentsNames(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	task := n.task(Task{})
	name := func(err error) string {
		if e := (*Error)(nil); errors.As(err, &e) {
			return e.Name
		}
		return "none"
	}
	_, err := n.Pull(t.Context(), n.reg.Host()+"/nothing:here", Pull{})
	if name(err) != CannotPullImageManifestError || !strings.Contains(err.Error(), "not found") {
		t.Errorf("pull: %v", err)
	}
	c := sh(task, "", img)
	c.User = "nobody-at-all"
	if err := n.Create(t.Context(), c); name(err) != CannotCreateContainerError || !strings.Contains(err.Error(), "unable to find user nobody-at-all") {
		t.Errorf("create: %v", err)
	}
	c.User, c.Command = "", []string{"/no/such/program"}
	err = n.Create(t.Context(), c)
	if err == nil {
		_, _, err = n.Start(t.Context(), c.ID)
	}
	if got := name(err); got != CannotStartContainerError {
		t.Errorf("start: %v", err)
	}
	if !strings.Contains(err.Error(), "no such file or directory") {
		t.Errorf("start: %v", err)
	}
	if _, err := n.Stats(t.Context(), task+"-99"); name(err) != CannotInspectContainerError {
		t.Errorf("stats: %v", err)
	}
}
