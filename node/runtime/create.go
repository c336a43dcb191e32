package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/again"
	"github.com/berth-ecs/berth/node/runtime/rootfs"
	"github.com/berth-ecs/berth/node/runtime/shim"
	"github.com/berth-ecs/berth/node/runtime/snapshot"
	"github.com/berth-ecs/berth/node/runtime/spec"
	"github.com/berth-ecs/berth/node/runtime/tiny"
)

// Create makes a container up to the point where only Start is missing:
// snapshot, specification, sandbox record, task. It is idempotent: what a crash
// left half made is made anew, what is whole is left alone.
func (r *Runtime) Create(ctx context.Context, c Container) error {
	if err := c.check(); err != nil {
		return named(CannotCreateContainerError, err)
	}
	unlock := r.tasks.RLock(c.TaskID)
	defer unlock()
	return named(CannotCreateContainerError, again.Do(ctx, func() error { return r.createOrAdopt(ctx, c) }))
}

// undoTime bounds the removal of what was half made, whose creation may have used up all its time.
const undoTime = time.Minute

// createOrAdopt tells what a failed creation means. A container that is whole is
// never touched: it was made before, whatever went wrong now.
func (r *Runtime) createOrAdopt(ctx context.Context, c Container) error {
	defer r.watchShim(ctx, c.ID, patience)()
	err := r.create(ctx, c)
	if err == nil || errdefs.IsUnavailable(err) {
		return err
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	whole, werr := r.settled(rest, c.ID)
	if werr != nil {
		return errors.Join(err, werr)
	}
	if whole {
		return nil
	}
	// What was half made, now or before a crash, goes now and not at the next sweep.
	if rerr := r.remove(rest, c.ID); rerr != nil {
		return errors.Join(err, rerr)
	}
	if !errdefs.IsAlreadyExists(err) {
		return err
	}
	if err = r.create(ctx, c); errdefs.IsAlreadyExists(err) { // containerd finishes what a process that is gone asked for: it is over soon
		return fmt.Errorf("%w: %w", errdefs.ErrUnavailable, err)
	}
	return err
}

// create does the parts that need nothing of each other at once. None is cut off
// when another fails: containerd would finish it after we have cleaned up.
func (r *Runtime) create(ctx context.Context, c Container) error {
	var address string
	var mounts []mount.Mount
	early, cached := r.layers.Get(c.Image.ChainID)
	err := atOnce(
		func() (err error) {
			address, err = r.ensureShimOnce(ctx, c.TaskID)
			return err
		},
		func() error { return r.createSandbox(ctx, c) },
		func() error {
			if c.Netready == nil {
				return nil
			}
			return c.Netready(ctx)
		},
		func() (err error) {
			if mounts, err = r.prepareSnapshot(ctx, c); err == nil && !cached {
				err = r.createRecord(ctx, c, snapshot.Dirs(mounts))
			}
			return err
		},
		func() error {
			if cached {
				return r.createRecord(ctx, c, early)
			}
			return nil
		},
	)
	if now := snapshot.Dirs(mounts); err == nil && cached && !slices.Equal(now, early) {
		// The image went and came again: its layers lie elsewhere.
		if err = r.cd.ContainerService().Delete(ctx, c.ID); err == nil {
			err = r.createRecord(ctx, c, now)
		}
	}
	if err != nil {
		return err
	}
	return r.createTask(ctx, c, address, mounts)
}

// ensureShimOnce lets one of a task's concurrent creations start the shim.
func (r *Runtime) ensureShimOnce(ctx context.Context, task string) (string, error) {
	unlock := r.shims.Lock(task)
	defer unlock()
	return r.ensureShim(ctx, task)
}

// createSandbox makes the record without which containerd forgets the exit code
// of a container that ends while containerd is down.
func (r *Runtime) createSandbox(ctx context.Context, c Container) error {
	defer failpoint.Around(failpoint.Sandbox)()
	name, _, err := r.runtimeOf(c.TaskID)
	if err != nil {
		return err
	}
	_, err = r.cd.SandboxStore().Create(ctx, sandbox.Sandbox{
		ID: c.ID, Sandboxer: "shim", Labels: map[string]string{labelTask: c.TaskID},
		Runtime: sandbox.RuntimeOpts{Name: name},
	})
	return err
}

func (r *Runtime) prepareSnapshot(ctx context.Context, c Container) ([]mount.Mount, error) {
	defer failpoint.Around(failpoint.Snapshot)()
	ctx = leases.WithLease(ctx, leaseID(c.TaskID))
	mounts, err := r.newSnapshot(ctx, c)
	if dir := snapshot.InTheWay(err, r.c.DataDir); dir != "" {
		mounts, err = r.prepareAfter(ctx, c)
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", c.Image.Ref, err)
	}
	r.layers.Put(c.Image.ChainID, snapshot.Dirs(mounts))
	return r.rootOf(c.ID, mounts)
}

// prepareAfter removes what is in the way of a snapshot and makes it. One at a time: what another has removed and got since
// is not in the way any more.
func (r *Runtime) prepareAfter(ctx context.Context, c Container) ([]mount.Mount, error) {
	unlock := r.shims.Lock("snapshots")
	defer unlock()
	mounts, err := r.newSnapshot(ctx, c)
	if dir := snapshot.InTheWay(err, r.c.DataDir); dir != "" {
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		return r.newSnapshot(ctx, c)
	}
	return mounts, err
}

func (r *Runtime) spec(c Container, layers []string) (*specs.Spec, error) {
	if err := spec.MakeSources(c.Mounts); err != nil {
		return nil, err
	}
	who, err := rootfs.Layers(layers).User(firstOf(c.User, c.Image.User))
	if err != nil {
		return nil, err
	}
	caps, err := spec.Capabilities(c.CapAdd, c.CapDrop, c.Privileged, r.caps)
	if err != nil {
		return nil, err
	}
	in := spec.Input{
		Args:             spec.Args(c.EntryPoint, c.Command, c.Image.EntryPoint, c.Image.Cmd),
		Env:              slices.Concat(c.LinkEnv, c.Image.Env, c.Env),
		Cwd:              firstOf(c.WorkingDirectory, c.Image.WorkingDir),
		User:             who,
		Hostname:         c.Hostname,
		Netns:            c.Netns,
		CgroupPath:       r.containerCgroup(c.TaskID, c.ID),
		Unified:          r.cg.Unified(),
		Mounts:           c.Mounts,
		Ulimits:          c.Ulimits,
		Sysctls:          c.Sysctls,
		Capabilities:     caps,
		CPUShares:        c.CPUShares,
		MemoryBytes:      c.MemoryMiB << 20,
		SwapBytes:        c.SwapMiB << 20,
		Swappiness:       c.Swappiness,
		ShmBytes:         c.ShmBytes,
		Terminal:         c.Terminal,
		ReservationBytes: c.MemoryReservationMiB << 20,
		ReadonlyRootfs:   c.ReadonlyRootfs,
		Privileged:       c.Privileged,
		Native:           spec.NativeArch(),
		Compat32:         c.Image.Compat32,
	}
	if c.Init {
		in.Init = r.initFile()
		if err := tiny.Install(in.Init); err != nil {
			return nil, err
		}
	}
	if err := r.share(c, &in); err != nil {
		return nil, err
	}
	if in.Devices, in.Allowed, err = r.devices(c); err != nil {
		return nil, err
	}
	return spec.Build(in)
}

func (r *Runtime) initFile() string { return filepath.Join(r.c.DataDir, "init") }

// devices are what a container has of the machine's: what it asks for, or all.
// Docker looks at them when it starts a container.
func (r *Runtime) devices(c Container) (nodes []specs.LinuxDevice, rules []specs.LinuxDeviceCgroup, err error) {
	nodes, rules, err = spec.Find(c.Devices)
	if err != nil || !c.Privileged {
		return nodes, rules, named(CannotStartContainerError, err)
	}
	all, err := spec.HostDevices("/dev")
	for _, d := range all {
		if !slices.ContainsFunc(nodes, func(n specs.LinuxDevice) bool { return n.Path == d.Path }) {
			nodes = append(nodes, d)
		}
	}
	return nodes, nil, err
}

// createRecord makes containerd's record of the container, from the layers that
// say who its user is.
func (r *Runtime) createRecord(ctx context.Context, c Container, layers []string) error {
	defer failpoint.Around(failpoint.Record)()
	oci, err := r.spec(c, layers)
	if err != nil {
		return err
	}
	r.intoSandbox(c, oci)
	document, err := typeurl.MarshalAny(oci)
	if err != nil {
		return err
	}
	name, opts, err := r.runtimeOf(c.TaskID)
	if err != nil {
		return err
	}
	labels := map[string]string{}
	maps.Copy(labels, c.Labels)
	labels[labelTask], labels[labelName] = c.TaskID, c.Name
	if s := firstOf(c.StopSignal, c.Image.StopSignal); s != "" {
		labels[labelStop] = s
	}
	labels[labelOut], labels[labelErr] = c.Stdout, c.Stderr
	if c.OpenStdin {
		labels[labelIn] = "open"
	}
	if c.Terminal {
		labels[labelTTY] = "true"
	}
	_, err = r.cd.ContainerService().Create(ctx, containers.Container{
		ID: c.ID, Labels: labels, Image: c.Image.Ref, Spec: document, SandboxID: c.ID,
		Runtime:     containers.RuntimeInfo{Name: name, Options: opts},
		Snapshotter: snapshotter, SnapshotKey: c.ID,
	})
	return err
}

// createTask has the shim run `runc create`. The request is made by hand: the
// client's NewTask asks for the record and the mounts again. Docker does this when
// it starts a container, so what fails here (a command that is not there) has the
// agent's name for that.
func (r *Runtime) createTask(ctx context.Context, c Container, address string, mounts []mount.Mount) (err error) {
	defer failpoint.Around(failpoint.Create)()
	req := &tasks.CreateTaskRequest{
		ContainerID:    c.ID,
		TaskApiAddress: "ttrpc+" + address, TaskApiVersion: shim.APIVersion,
	}
	if c.Stdout != "" || c.Stderr != "" || c.OpenStdin || c.Terminal { // the shim wants all or none
		req.Stdout, req.Stderr = firstOf(c.Stdout, os.DevNull), firstOf(c.Stderr, os.DevNull)
	}
	if c.Terminal { // what it prints is one stream
		req.Terminal, req.Stderr = true, ""
	}
	if c.OpenStdin {
		if req.Stdin, err = r.stdins().FIFO(c.ID); err != nil {
			return named(CannotStartContainerError, err)
		}
	}
	for _, m := range mounts {
		req.Rootfs = append(req.Rootfs, &types.Mount{Type: m.Type, Source: m.Source, Target: m.Target, Options: m.Options})
	}
	_, err = r.cd.TaskService().Create(ctx, req)
	if err = errgrpc.ToNative(err); shimGone(err) {
		return fmt.Errorf("the creation of %s has to be made anew: %w: %w", c.ID, errdefs.ErrUnavailable, err)
	}
	return named(CannotStartContainerError, err)
}

// whole reports whether the container and its task exist, and can be started or were.
func (r *Runtime) whole(ctx context.Context, id string) (bool, error) {
	if _, err := r.cd.ContainerService().Get(ctx, id); err != nil {
		if errdefs.IsNotFound(err) {
			return false, nil
		}
		return false, err
	}
	p, err := r.process(ctx, id)
	return p != nil && !r.neverRan(p), err
}

// process is what is true of the container's first process; nil: nothing.
func (r *Runtime) process(ctx context.Context, id string) (*taskProcess, error) {
	p, err := r.believed(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.truth(ctx, p)
}

// believed is what containerd and the shim know of it.
func (r *Runtime) believed(ctx context.Context, id string) (*taskProcess, error) {
	resp, err := r.cd.TaskService().Get(ctx, &tasks.GetRequest{ContainerID: id})
	err = errgrpc.ToNative(err)
	switch {
	case errdefs.IsNotFound(err):
		return nil, nil
	case errdefs.IsDeadlineExceeded(err) && ctx.Err() == nil: // containerd waits two seconds for a shim
		return nil, fmt.Errorf("the shim of %s does not answer: %w: %w", id, errdefs.ErrUnavailable, err)
	case err != nil:
		return nil, err
	}
	return resp.Process, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
