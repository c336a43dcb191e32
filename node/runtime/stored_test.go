package runtime

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/node/runtime/storage"
)

// stored is a task with a file system of 1 GiB, on runc or in a sandbox.
func (n *node) stored(boxed bool) string {
	n.t.Helper()
	task := randomHex(16)
	for range 2 {
		if err := n.Store(n.t.Context(), task, 1); err != nil {
			n.t.Fatal(err)
		}
	}
	t := Task{ID: task, MemoryMiB: 512}
	if boxed {
		t.Sandbox = &Sandbox{}
	}
	if err := n.Prepare(n.t.Context(), t); err != nil {
		n.t.Fatal(err)
	}
	return task
}

// loops are the loop devices of files below a directory.
func loops(t *testing.T, dir string) (out []string) {
	t.Helper()
	found, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if text, err := os.ReadFile(f); err == nil && strings.HasPrefix(string(text), dir+"/") { // else it has just ended
			out = append(out, strings.TrimSpace(string(text)))
		}
	}
	return out
}

// What a task's containers write, to their roots and to its volumes, is held to its size all together, on runc and in a sandbox; another
// task does not notice, the full one's containers can be started again, and nothing stays of it.
func TestStorageIsHard(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	if err := storage.Can(); err != nil {
		t.Fatal(err)
	}
	img := n.busybox()
	for name, boxed := range map[string]bool{"runc": false, "sandbox": true} {
		if boxed && !n.CanSandbox() {
			continue
		}
		t.Run(name, func(t *testing.T) { n.fill(t, n.stored(boxed), n.stored(boxed), img) })
	}
	n.until("the end of the loop devices", func() bool { return len(loops(t, n.c.DataDir)) == 0 })
}

func (n *node) fill(t *testing.T, task, other string, img Image) {
	t.Helper()
	volume := filepath.Join(n.c.DataDir, "tasks", task, "volumes", "v")
	first := sh(task, `[ -e /a ] && exit 7; busybox fallocate -l 500M /a && busybox fallocate -l 200M /v/b || exit 9; busybox fallocate -l 400M /v/c || exit 5`, img)
	first.Mounts = []Mount{{Source: volume, Target: "/v"}}
	// The other container is there when there is still room.
	second := second(sh(task, `dd if=/dev/zero of=/x bs=1M count=100; until [ -e /v/c ]; do usleep 10000; done; dd if=/dev/zero of=/x bs=1M count=400 2>&1 | grep -i "no space"`, img), 2)
	second.Mounts = first.Mounts
	path, said := n.pipe()
	second.Stdout = path
	n.start(second)
	n.start(first)
	if s := n.exited(first.ID); s.ExitCode != 5 {
		t.Errorf("400 MiB beside 700: %+v", s)
	}
	n.exited(second.ID)
	if out := said(); !strings.Contains(strings.ToLower(out), "no space left on device") {
		t.Errorf("another container of the task writes on: %q", out)
	}
	use, ok := n.StorageUse(task)
	if !ok || use.Size != 1<<30 || use.Used < use.Size*95/100 || use.Used > use.Size {
		t.Errorf("used %+v, %v", use, ok)
	}
	if err := n.Renew(t.Context(), first.ID); err != nil {
		t.Error("a container of a full task cannot be started again:", err)
	} else if _, _, err := n.Start(t.Context(), first.ID); err != nil {
		t.Error(err)
	}
	if s := n.exited(first.ID); s.ExitCode != 7 { // on what it wrote
		t.Errorf("started again: %+v", s)
	}
	if out, s := n.output(sh(other, "busybox fallocate -l 500M /a && echo ok", img)); s.ExitCode != 0 || out != "ok\n" {
		t.Errorf("the neighbour: %+v %q", s, out)
	}
	if err := n.Delete(t.Context(), second.ID); err != nil {
		t.Error(err)
	}
	if less, _ := n.StorageUse(task); less.Used >= use.Used {
		t.Errorf("what a container wrote stays after it: %+v, then %+v", use, less)
	}
	for _, id := range []string{task, other} {
		if err := n.Release(t.Context(), id); err != nil {
			t.Error(err)
		}
		if n.storage().Has(id) {
			t.Error("its file is there")
		}
		if _, err := os.Lstat(n.storage().Path(id)); !os.IsNotExist(err) {
			t.Error("its directory is there:", err)
		}
	}
}

// A task's storage outlives containerd and the node's process, and what runs there goes on; a sweep finds what is left of any, whole or not.
func TestStorageOutlivesProcesses(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	img := n.busybox()
	n.onBoth(t, func(t *testing.T, _ func(Task) string) {
		t.Helper()
		task := n.stored(strings.HasSuffix(t.Name(), "/sandbox"))
		c := sh(task, "until [ -e /ready/go ]; do usleep 10000; done; echo more >> /lives && exit $(wc -l < /lives)", img)
		n.ready(&c)
		n.start(c)
		n.killDaemon()
		n.reopen()
		if err := n.Store(t.Context(), task, 1); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(filepath.Join(c.Mounts[0].Source, "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for life := 1; life < 3; life++ {
			if s := n.exited(c.ID); s.ExitCode != life {
				t.Fatalf("life %d: %+v", life, s)
			}
			if err := n.Renew(t.Context(), c.ID); err != nil {
				t.Fatal(err)
			}
			if _, _, err := n.Start(t.Context(), c.ID); err != nil {
				t.Fatal(err)
			}
		}
		n.exited(c.ID)
	})
	alone, half := randomHex(16), randomHex(16)
	if err := n.Store(t.Context(), alone, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(n.storage().Dir, half+".ext4"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := n.Sweep(t.Context(), func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	if tasks, err := n.storage().Tasks(); err != nil || len(tasks) > 0 {
		t.Errorf("left: %v %v", tasks, err)
	}
	n.until("the end of the loop devices", func() bool { return len(loops(t, n.c.DataDir)) == 0 })
}
