package runtime

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/again"
	"github.com/berth-ecs/berth/test/images"
)

const binDir = "/opt/berth/bin"

// node is an installation of one test.
type node struct {
	*Runtime
	t   *testing.T
	c   Config
	reg *images.Registry
}

// newNode starts an installation of the test's own and checks at the end that
// nothing of it is left.
func newNode(t *testing.T) *node {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	name := "t" + randomHex(3)
	run, err := os.MkdirTemp("/run", name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.MkdirTemp("/var/tmp", name)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, c: Config{Name: name, BinDir: binDir, RunDir: run, DataDir: data, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}}
	n.open()
	if n.reg, err = images.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := n.sweepAll(ctx); err != nil {
			t.Errorf("sweep: %v", err)
		}
		n.checkNothingLeft()
		if err := n.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := n.reg.Close(); err != nil {
			t.Error(err)
		}
		if log, err := os.ReadFile(filepath.Join(data, "containerd.log")); t.Failed() {
			t.Logf("containerd's log: %v\n%s", err, log)
		}
		for _, dir := range []string{run, data} {
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		}
	})
	return n
}

func (n *node) open() {
	n.t.Helper()
	r, err := Open(n.t.Context(), n.c)
	if err != nil {
		n.t.Fatal(err)
	}
	n.Runtime = r
}

// sweepAll sweeps as a node does, which comes again when something was just ending: runsc deletes no container of a sandbox that goes down.
func (n *node) sweepAll(ctx context.Context) (err error) {
	for range 5 {
		if err = n.Sweep(ctx, func(string) bool { return false }); err == nil {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
	return err
}

// checkNothingLeft reads the kernel, not what the runtime thinks.
func (n *node) checkNothingLeft() {
	n.t.Helper()
	if s := n.c.shims().Processes(); len(s) > 0 {
		n.t.Errorf("shims left: %v", s)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		n.t.Error(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, n.c.RunDir) || strings.Contains(line, n.c.DataDir) {
			n.t.Errorf("mount left: %s", line)
		}
	}
	found, err := filepath.Glob("/sys/fs/cgroup/*/" + n.c.Name + "/*/")
	if err != nil || len(found) > 0 {
		n.t.Errorf("cgroups left: %v %v", found, err)
	}
	ctx := context.WithoutCancel(n.t.Context())
	leases, err := n.cd.LeasesService().List(ctx)
	if err != nil || len(leases) > 0 {
		n.t.Errorf("leases left: %v %v", leases, err)
	}
	sandboxes, err := n.cd.SandboxStore().List(ctx)
	if err != nil || len(sandboxes) > 0 {
		n.t.Errorf("sandbox records left: %v %v", sandboxes, err)
	}
	err = n.cd.SnapshotService(snapshotter).Walk(ctx, func(_ context.Context, i snapshots.Info) error {
		if i.Kind != snapshots.KindCommitted {
			n.t.Errorf("snapshot left: %s %s", i.Kind, i.Name)
		}
		return nil
	})
	if err != nil {
		n.t.Error(err)
	}
	for _, dir := range []string{"containerd/io.containerd.runtime.v2.task/" + n.c.Name, "s", "shims", "exec", "runc/" + n.c.Name} {
		entries, err := os.ReadDir(filepath.Join(n.c.RunDir, dir))
		if err != nil && !os.IsNotExist(err) {
			n.t.Error(err)
		}
		for _, e := range entries {
			n.t.Errorf("left in %s: %s", dir, e.Name())
		}
	}
}

// busybox pulls the busybox image of tests.
func (n *node) busybox(files ...images.File) Image {
	n.t.Helper()
	s, err := images.Busybox(v1.Config{}, files...)
	if err != nil {
		n.t.Fatal(err)
	}
	ref, err := n.reg.Push("busybox:test", s)
	if err != nil {
		n.t.Fatal(err)
	}
	img, err := n.Pull(n.t.Context(), ref, Pull{})
	if err != nil {
		n.t.Fatal(err)
	}
	return img
}

func (n *node) task(t Task) string {
	n.t.Helper()
	t.ID = randomHex(16)
	if err := n.Prepare(n.t.Context(), t); err != nil {
		n.t.Fatal(err)
	}
	return t.ID
}

func (n *node) start(c Container) int {
	n.t.Helper()
	if err := n.Create(n.t.Context(), c); err != nil {
		n.t.Fatal(err)
	}
	pid, _, err := n.Start(n.t.Context(), c.ID)
	if err != nil {
		n.t.Fatal(err)
	}
	return pid
}

// exited waits for the container's end.
func (n *node) exited(id string) State {
	n.t.Helper()
	var last State
	n.until("the exit of "+id, func() bool {
		last = n.stateOf(id)
		return last.Status == Stopped
	})
	return last
}

func (n *node) stateOf(id string) State {
	n.t.Helper()
	list, err := n.List(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	for _, s := range list {
		if s.ID == id {
			return s
		}
	}
	return State{}
}

// until waits for a condition nothing announces.
func (n *node) until(what string, ok func() bool) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), time.Minute)
	defer cancel()
	for !ok() {
		if !again.Pause(ctx, 5*time.Millisecond) {
			n.t.Fatalf("no %s within a minute", what)
		}
	}
}

// pipe gives a FIFO for a container's output; text waits for its end and answers all of it.
func (n *node) pipe() (path string, text func() string) {
	n.t.Helper()
	path = filepath.Join(n.t.TempDir(), "out")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		n.t.Fatal(err)
	}
	read := make(chan string, 1)
	go func() {
		f, err := os.Open(path)
		if err != nil {
			read <- err.Error()
			return
		}
		defer f.Close()
		b, _ := io.ReadAll(f)
		read <- string(b)
	}()
	return path, func() string { return <-read }
}

// output runs a container to its end and answers what it wrote.
func (n *node) output(c Container) (string, State) {
	n.t.Helper()
	path, text := n.pipe()
	c.Stdout = path
	n.start(c)
	s := n.exited(c.ID)
	out := text()
	return out, s
}

func sh(task, script string, img Image) Container {
	return Container{ID: task + "-1", TaskID: task, Name: "c", Image: img, Command: []string{"/bin/sh", "-c", script}}
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func second(c Container, n int) Container {
	c.ID = fmt.Sprintf("%s-%d", c.TaskID, n)
	return c
}

// startReady starts a container whose script touches /ready/it, and waits for that.
func (n *node) startReady(c Container) int {
	n.t.Helper()
	ready := n.ready(&c)
	pid := n.start(c)
	n.until("readiness of "+c.ID, ready)
	return pid
}

// ready gives a container the directory /ready, and tells whether it has made the file "it" there.
func (n *node) ready(c *Container) func() bool {
	n.t.Helper()
	dir := n.t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		n.t.Fatal(err)
	}
	c.Mounts = append(c.Mounts, Mount{Source: dir, Target: "/ready"})
	return func() bool {
		_, err := os.Stat(filepath.Join(dir, "it"))
		return err == nil
	}
}
