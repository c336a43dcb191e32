// Package sandbox knows what gVisor wants: where the state of a task's sandbox lies, how runsc is told its options, and what the container
// is made of that keeps the sandbox while the task's others come and go.
//
// What is guaranteed:
//
//   - That a task has a sandbox stands in the file system: it has a directory, or a link to that of one made ahead. Everything of gVisor's
//     that is not a process lies in it.
//   - A sandbox made ahead is of one task, for good: the link that says so is made once, all at once.
//   - A sandbox has no network until Connect gives it one, and it is given one once.
//   - Remove leaves nothing, whatever runsc has mounted there.
package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/spec"
	"github.com/berth-ecs/berth/node/runtime/tiny"
)

// Runtime is containerd's name of the kind; the shim's program is named after it.
const Runtime = "io.containerd.berth.v1"

// Program is gVisor's.
const Program = "runsc"

// Config says where sandboxes lie.
type Config struct {
	Runsc     string // required: the program
	Dir       string // required: the sandboxes' directories lie in it
	Root      string // required: a directory for the root file system of sandboxes' first containers
	Namespace string // required: containerd's
}

// Path of the directory of a task's sandbox.
func (c Config) Path(task string) string { return filepath.Join(c.Dir, c.Of(task)) }

// Has says whether a task has a sandbox, or had one of which something is left.
func (c Config) Has(task string) bool {
	_, err := os.Lstat(filepath.Join(c.Dir, task))
	return err == nil
}

// Tasks are those that Has, and the names of sandboxes made ahead.
func (c Config) Tasks() (out []string, err error) {
	entries, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out, err
}

// First is the id of the container that makes the sandbox and keeps it.
func First(name string) string { return name + "-sandbox" }

// First is that of a task's sandbox.
func (c Config) First(task string) string { return First(c.Of(task)) }

// IsFirst tells such a container from the task's own.
func IsFirst(id string) bool { return strings.HasSuffix(id, "-sandbox") }

// settings of runsc.
//
//   - overlay2 none: what a container writes lies in its snapshot, where it survives a restart of the container and is counted.
//   - platform systrap works without hardware virtualisation.
//   - directfs false: the sandbox is the machine's user nobody, without a right, in a user namespace of its own; files it gets from its
//     gofers, open. Otherwise it would be root with what rights files need.
//   - host-uds all: containers that share a volume reach each other by sockets in it. There are no others than the task's volumes have.
//   - host-settings ignore: runsc would look at the machine at each of its calls.
const settings = `binary_name = %q
root = %q
[runsc_config]
platform = "systrap"
network = "sandbox"
overlay2 = "none"
directfs = "false"
host-uds = "all"
host-settings = "ignore"
`

// Ensure makes a sandbox's directory, with the options that runsc is told.
func (c Config) Ensure(name string) error {
	dir := c.Path(name)
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	return os.WriteFile(c.options(name), fmt.Appendf(nil, settings, c.Runsc, dir), 0o600)
}

func (c Config) options(task string) string { return filepath.Join(c.Path(task), "options.toml") }

// Options are those of every container of the task.
func (c Config) Options(task string) *runtimeoptions.Options {
	return &runtimeoptions.Options{ConfigPath: c.options(task)}
}

// State is where runsc keeps what it knows of a container.
func (c Config) State(task, id string) string {
	return filepath.Join(c.Path(task), c.Namespace, id+"_sandbox:"+c.First(task)+".state")
}

// MarkKilled notes that a container is killed on purpose: what is killed for want of memory looks the same, and the kernel counts that for
// the whole sandbox.
func (c Config) MarkKilled(task, id string) error {
	return os.WriteFile(c.killed(task, id), nil, 0o600)
}

// Killed says whether it was.
func (c Config) Killed(task, id string) bool {
	_, err := os.Lstat(c.killed(task, id))
	return err == nil
}

// Revive forgets it, for the container's next life.
func (c Config) Revive(task, id string) error {
	if err := os.Remove(c.killed(task, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (c Config) killed(task, id string) string { return filepath.Join(c.Path(task), id+".killed") }

// Remove takes a task's directory away. Its processes are gone by then.
func (c Config) Remove(task string) error {
	if c.Has(task) {
		failpoint.Hit(failpoint.BoxRemoved)
	}
	null := filepath.Join(c.Path(task), c.Namespace, "null-netns") // gofers' network
	if err := unix.Unmount(null, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return os.NewSyscallError("unmount "+null, err)
	}
	if err := os.RemoveAll(c.Path(task)); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(c.Dir, task)) // the link to it, of a task that took one made ahead
}

// The annotations by which runsc knows what joins what; Kubernetes invented them.
const (
	kindAnnotation = "io.kubernetes.cri.container-type"
	idAnnotation   = "io.kubernetes.cri.sandbox-id"
)

// Mark makes a specification that of a container in a sandbox.
func Mark(s *specs.Spec, name string, first bool) {
	kind := "container"
	if first {
		kind = "sandbox"
	}
	if s.Annotations == nil {
		s.Annotations = map[string]string{}
	}
	s.Annotations[kindAnnotation], s.Annotations[idAnnotation] = kind, First(name)
	s.Linux.Seccomp = nil // gVisor is the filter, and has one of its own
	// gVisor's cgroups cannot be mounted again in a container's next life; what is seen of the limits is /proc/meminfo and the CPUs.
	s.Mounts = slices.DeleteFunc(s.Mounts, func(m specs.Mount) bool { return m.Type == "cgroup" || m.Type == "cgroup2" })
}

// Limits of a sandbox as its programs see them; the cgroup around it is what holds.
type Limits struct {
	CPU         float64
	MemoryBytes int64
}

// nobody runs the first container.
const nobody = 65534

// program is all that the first container's root file system has: it waits, and it names the sandbox.
const program = "wait"

// Spec makes the specification of a sandbox's first container.
func (c Config) Spec(name string, in spec.Input, l Limits) (*specs.Spec, error) {
	if err := os.MkdirAll(c.Root, 0o755); err != nil {
		return nil, err
	}
	if err := tiny.Install(filepath.Join(c.Root, program)); err != nil {
		return nil, err
	}
	in.Args, in.User, in.ReadonlyRootfs, in.MemoryBytes = []string{"/" + program, "wait"}, spec.User{UID: nobody, GID: nobody}, true, l.MemoryBytes
	s, err := spec.Build(in)
	if err != nil {
		return nil, err
	}
	s.Root.Path = c.Root
	if l.CPU > 0 {
		period := uint64(100_000)
		quota := int64(l.CPU * float64(period))
		s.Linux.Resources.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
	}
	Mark(s, name, true)
	return s, nil
}
