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
	Hostname string // optional

	// Interface waits until the network interface that becomes the sandbox's is there, and takes it from the machine's kernel. It may be
	// called again, for a sandbox that comes after one. Optional: without, the sandbox has loopback only.
	Interface func(context.Context) (Interface, error)
}

// Interface is a sandbox's network interface.
type Interface = sandbox.Interface

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
	if t.Sandbox == nil {
		return nil
	}
	_, err := os.Lstat(r.c.shims().Path(t.ID))
	has := r.sandboxed(t.ID)
	switch {
	case err == nil && !has:
		return nil
	case has:
		return r.haveShim(t.ID)
	case !r.CanSandbox():
		return ErrNoSandbox
	case r.takeBox(t):
		return r.haveShim(t.ID)
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
		sandbox.Mark(s, r.sandboxes().Of(c.TaskID), false)
	}
}

// prepareSandbox makes the sandbox of a task, up to where containers join it, and connects it. The sandbox and the interface come at once.
func (r *Runtime) prepareSandbox(ctx context.Context, t Task) error {
	var i *Interface
	patient, giveUp := context.WithCancel(ctx)
	defer giveUp()
	err := atOnce(
		func() error {
			err := r.ensureSandbox(ctx, t)
			if err != nil {
				giveUp()
			}
			return err
		},
		func() error {
			if t.Sandbox.Interface != nil {
				got, err := t.Sandbox.Interface(patient)
				i = &got
				return err
			}
			return nil
		},
	)
	if err == nil {
		err = r.sandboxes().Connect(ctx, t.ID, t.Sandbox.Hostname, i)
		if err != nil && ctx.Err() == nil { // it is made anew
			err = fmt.Errorf("%w: %w", errdefs.ErrUnavailable, err)
		}
	} else {
		i.Close()
	}
	if err != nil {
		return fmt.Errorf("sandbox of task %s: %w", t.ID, err)
	}
	return nil
}

// ensureSandbox makes a task's sandbox, unless there is one that can be connected, or is.
func (r *Runtime) ensureSandbox(ctx context.Context, t Task) error {
	if err := r.makeCgroup(t); err != nil {
		return err
	}
	boxes := r.sandboxes()
	id := boxes.First(t.ID)
	p, err := r.believed(ctx, id)
	if err != nil || p != nil && p.Status == task.Status_RUNNING && !boxes.HalfConnected(t.ID) {
		return err
	}
	if p != nil || boxes.HalfConnected(t.ID) { // what a crash left half made, or a sandbox that ended; its shim may end with it
		if err := r.remove(ctx, id); err != nil {
			return err
		}
	}
	if err := boxes.Disconnect(t.ID); err != nil {
		return err
	}
	address, err := r.ensureShim(ctx, t.ID)
	if err == nil {
		err = r.makeSandbox(ctx, boxes.Of(t.ID), address, sizeOf(t))
	}
	if shimGone(err) || errdefs.IsAlreadyExists(err) {
		return errors.Join(fmt.Errorf("%w: %w", errdefs.ErrUnavailable, err), r.remove(ctx, id))
	}
	return err
}

// makeSandbox makes and starts the first container of the sandbox of that name.
func (r *Runtime) makeSandbox(ctx context.Context, name, address string, s boxSize) error {
	document, err := r.sandboxes().Spec(name, spec.Input{
		CgroupPath: r.containerCgroup(name, sandbox.First(name)), Unified: r.cg.Unified(), Native: spec.NativeArch(),
	}, sandbox.Limits{CPU: s.cpu, MemoryBytes: s.memoryMiB << 20})
	if err != nil {
		return err
	}
	return r.sandboxes().Make(ctx, r.cd, sandbox.Making{Name: name, Spec: document, Address: address, Labels: map[string]string{labelTask: name}})
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
		return r.containerCgroup(id[:32], r.sandboxes().First(id[:32]))
	}
	return r.containerCgroup(id[:32], id)
}
