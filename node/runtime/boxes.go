package runtime

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/berth-ecs/berth/node/runtime/ahead"
	"github.com/berth-ecs/berth/node/runtime/cgroup"
	"github.com/berth-ecs/berth/node/runtime/sandbox"
)

// boxSize is what a sandbox shows its programs of the machine, from its beginning on: one made ahead is of use for tasks of its size only.
type boxSize struct {
	cpu                float64
	memoryMiB, swapMiB int64
}

func sizeOf(t Task) boxSize { return boxSize{t.CPU, t.MemoryMiB, t.SwapMiB} }

// boxCalm is how long nothing must have started before a sandbox is made ahead: that takes the processor for a good part of a second.
const boxCalm = 100 * time.Millisecond

// keepBoxes keeps sandboxes ready until life ends.
func (r *Runtime) keepBoxes(life context.Context) {
	if r.c.SpareSandboxes <= 0 || !r.CanSandbox() {
		return
	}
	ctx, end := context.WithCancel(life)
	r.boxes = ahead.Open(ctx, ahead.Config[boxSize]{
		Most: r.c.SpareSandboxes, Calm: boxCalm, Name: sandbox.NewName, Make: r.makeBox, Drop: r.dropBox, Log: r.log,
	})
	r.unbox = func() {
		end()
		r.boxes.Wait()
		rest, cancel := context.WithTimeout(context.WithoutCancel(life), closeTime)
		defer cancel()
		r.boxes.Close(rest)
	}
}

// makeBox makes a sandbox that waits for a task.
func (r *Runtime) makeBox(ctx context.Context, name string, s boxSize) error {
	if err := r.sandboxes().Ensure(name); err != nil {
		return err
	}
	err := r.cg.Make(r.taskCgroup(name), cgroup.Limits{
		CPU: s.cpu, MemoryBytes: s.memoryMiB << 20, SwapBytes: s.swapMiB << 20, Pids: r.c.TaskPids,
	})
	if err != nil {
		return err
	}
	address, err := r.newShim(ctx, name, name)
	if err != nil {
		return err
	}
	return r.makeSandbox(ctx, name, address, s)
}

// dropBox removes a sandbox that no task has.
func (r *Runtime) dropBox(ctx context.Context, name string) error {
	unlock := r.tasks.Lock(name)
	defer unlock()
	return errors.Join(r.release(ctx, name), r.c.shims().Kill(ctx, name))
}

// takeBox makes a sandbox that is ready the task's.
func (r *Runtime) takeBox(t Task) bool {
	if r.boxes == nil {
		return false
	}
	name, ok := r.boxes.Take(sizeOf(t))
	if !ok {
		return false
	}
	if _, ok := r.c.shims().Answering(name); !ok { // somebody ended it
		r.boxes.Spoilt(name)
		return false
	}
	if err := r.sandboxes().Take(t.ID, name); err != nil {
		r.log.Warn("a sandbox made ahead cannot be taken", "name", name, "task", t.ID, "error", err)
		return false
	}
	return true
}

// haveShim makes the shim of a sandbox that was made ahead the task's: its directory is named after the task then.
func (r *Runtime) haveShim(task string) error {
	name := r.sandboxes().Of(task)
	if name == task {
		return nil
	}
	err := os.Rename(r.c.shims().Path(name), r.c.shims().Path(task))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) { // done before
		return nil
	}
	return err
}

// sweepBoxes removes sandboxes made ahead that no task took and nobody keeps: another process left them.
func (r *Runtime) sweepBoxes(ctx context.Context, names map[string]bool) error {
	owners, err := r.sandboxes().Owners()
	if err != nil {
		return err
	}
	var errs []error
	for name := range names {
		if owners[name] == "" && (r.boxes == nil || !r.boxes.Keeps(name)) {
			errs = append(errs, r.dropBox(ctx, name))
		}
	}
	return errors.Join(errs...)
}

// shimOf is the task that the shim of a sandbox is found by.
func (r *Runtime) shimOf(task string) string {
	if sandbox.IsAhead(task) {
		if owners, err := r.sandboxes().Owners(); err == nil && owners[task] != "" {
			return owners[task]
		}
	}
	return task
}

// closeBoxes ends what keepBoxes began, and removes what waits.
func (r *Runtime) closeBoxes() {
	if r.boxes != nil {
		r.unbox()
	}
}
