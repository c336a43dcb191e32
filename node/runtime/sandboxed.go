package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/sandbox"
	"github.com/berth-ecs/berth/node/runtime/shim"
	"github.com/berth-ecs/berth/node/runtime/spec"
)

// Sandbox says that a task's containers run in one gVisor sandbox: they share its kernel, its network and its limits.
type Sandbox struct {
	Netns string // required: path of the namespace whose interface becomes the sandbox's

	// Ready waits until the namespace is there and gives its interface the addresses that an earlier sandbox took. It is called before
	// each making of a sandbox. Optional.
	Ready func(context.Context) error
}

// ErrNoSandbox says that gVisor is not installed.
var ErrNoSandbox = errors.New("this node cannot run sandboxes: it has no " + sandbox.Program + " or no " + shim.Sandbox + " (make sandbox)")

func (r *Runtime) sandboxes() sandbox.Config {
	return sandbox.Config{
		Runsc: r.c.bin(sandbox.Program), Dir: filepath.Join(r.c.RunDir, "runsc"), Root: filepath.Join(r.c.DataDir, "sandbox"), Namespace: r.c.Name,
	}
}

// sandboxed says whether a task's containers run in a sandbox.
func (r *Runtime) sandboxed(task string) bool { return r.sandboxes().Has(task) }

// Sandboxed says whether a task began in a sandbox.
func (r *Runtime) Sandboxed(taskID string) bool {
	return taskIDRule.MatchString(taskID) && r.sandboxed(taskID)
}

// chooseRuntime settles what a task's containers run on, before anything of them is made. What a task began on it goes on with.
func (r *Runtime) chooseRuntime(t Task) error {
	if _, err := os.Lstat(r.c.shims().Path(t.ID)); t.Sandbox == nil || err == nil && !r.sandboxed(t.ID) {
		return nil
	}
	if !r.CanSandbox() {
		return ErrNoSandbox
	}
	return r.sandboxes().Ensure(t.ID)
}

// CanSandbox says whether gVisor is installed.
func (r *Runtime) CanSandbox() bool {
	for _, name := range []string{sandbox.Program, shim.Sandbox} {
		if _, err := os.Stat(r.c.bin(name)); err != nil {
			return false
		}
	}
	return true
}

// runtimeOf is containerd's name of what a container runs on, and the options for it.
func (r *Runtime) runtimeOf(task string) (name string, opts typeurl.Any, err error) {
	if r.sandboxed(task) {
		opts, err = typeurl.MarshalAny(r.sandboxes().Options(task))
		return sandbox.Runtime, opts, err
	}
	opts, err = typeurl.MarshalAny(&options.Options{BinaryName: r.c.bin("runc"), Root: r.c.runcRoot()})
	return runtimeName, opts, err
}

// intoSandbox changes the specification of a container that joins a sandbox.
func (r *Runtime) intoSandbox(c Container, s *specs.Spec) {
	if r.sandboxed(c.TaskID) {
		sandbox.Mark(s, c.TaskID, false)
	}
}

// prepareSandbox makes the sandbox of a task, up to where containers join it; shim and cgroup are there.
func (r *Runtime) prepareSandbox(ctx context.Context, t Task) error {
	id := sandbox.First(t.ID)
	p, err := r.believed(ctx, id)
	if err != nil || p != nil && p.Status == task.Status_RUNNING {
		return err
	}
	if err := r.remove(ctx, id); err != nil { // what a crash left half made
		return err
	}
	if t.Sandbox.Ready != nil {
		if err := t.Sandbox.Ready(ctx); err != nil {
			return err
		}
	}
	if err := r.makeSandbox(ctx, t); err != nil {
		return fmt.Errorf("sandbox of task %s: %w", t.ID, err)
	}
	return nil
}

// makeSandbox makes and starts the first container.
func (r *Runtime) makeSandbox(ctx context.Context, t Task) error {
	address, ok := r.c.shims().Answering(t.ID)
	if !ok {
		return fmt.Errorf("its shim has ended: %w", errdefs.ErrUnavailable)
	}
	s, err := r.sandboxes().Spec(t.ID, spec.Input{
		CgroupPath: r.containerCgroup(t.ID, sandbox.First(t.ID)), Unified: r.cg.Unified(), Netns: t.Sandbox.Netns, Native: spec.NativeArch(),
	}, sandbox.Limits{CPU: t.CPU, MemoryBytes: t.MemoryMiB << 20})
	if err != nil {
		return err
	}
	return r.sandboxes().Make(ctx, r.cd, sandbox.Making{Task: t.ID, Spec: s, Address: address, Labels: map[string]string{labelTask: t.ID}})
}

// killed is the exit code of what SIGKILL ended.
const killed = 128 + int(unix.SIGKILL)

// lost is the exit code that gVisor's shim gives a container whose sandbox ended.
const lost = 128

// exitCode is that of a container. What ends with its sandbox was killed.
func (r *Runtime) exitCode(id string, status uint32) int {
	if status == lost && r.sandboxed(id[:32]) && r.sandboxEnded(id[:32]) {
		return killed
	}
	return int(status)
}

// sandboxEnded asks the sandbox: it listens as long as it runs. Its file servers may take a moment longer.
func (r *Runtime) sandboxEnded(task string) bool { return !r.sandboxes().Answers(task) }

// seat is the cgroup that tells what a container uses. A sandbox is one process to the kernel: each of its containers uses what all do.
func (r *Runtime) seat(id string) string {
	if r.sandboxed(id[:32]) {
		return r.containerCgroup(id[:32], sandbox.First(id[:32]))
	}
	return r.containerCgroup(id[:32], id)
}
