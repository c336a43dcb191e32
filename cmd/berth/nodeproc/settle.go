package nodeproc

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"time"

	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/runtime/cgroup"
)

// Settle moves this process, a server or a node, beside the tasks and above them: to the cgroup of an installation's own processes.
// Without the right to, or under a supervisor that chose another, it stays where it is. What is answered undoes it.
func Settle(name string, log *slog.Logger) (leave func()) {
	cg, err := cgroup.Open("")
	settled := false
	if err == nil {
		settled, err = cg.Settle(name)
	}
	if err != nil || !settled {
		log.Debug("this process stays in the cgroup it was started in", "error", err)
		return func() {}
	}
	return func() { cg.Leave(name) }
}

const (
	emptyTime  = 30 * time.Second // what processes that were killed take to be gone on a machine that is busy, generously
	emptyEvery = 10 * time.Millisecond
)

// unsettle removes the cgroups of the installation's own processes, which have ended or are about to.
func unsettle(ctx context.Context, name string) error {
	cg, err := cgroup.Open("")
	if err != nil {
		return err
	}
	return patiently(ctx, func() error { return cg.Unsettle(name) })
}

// errStays says that something was killed that may be there still.
var errStays = errors.New("a process that was killed does not end")

// endStarts ends what is beside hold when no container is left: shims that a node had begun to start when it was killed. Some were no
// programs of a name yet when others looked for shims, and open what hold has when they are.
func endStarts(ctx context.Context, name string, h *hold.Client) error {
	return endBut(ctx, name, h.Pid)
}

// endHeld ends what is where hold was. Nothing has a reason to be there any more.
func endHeld(ctx context.Context, name string) error {
	return endBut(ctx, name, func() int { return 0 })
}

// endBut kills what is in the cgroup of hold and the shims, but one, until there is nothing.
func endBut(ctx context.Context, name string, one func() int) error {
	cg, err := cgroup.Open("")
	if err != nil {
		return err
	}
	return patiently(ctx, func() error {
		found, err := cg.Hold(name).Kill(one())
		if found {
			err = errors.Join(err, errStays)
		}
		return err
	})
}

// patiently tries for as long as what was killed may take to be gone.
func patiently(ctx context.Context, try func() error) error {
	for end := time.Now().Add(emptyTime); ; {
		err := try()
		if err == nil || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(emptyEvery):
		}
	}
}

// inProxy starts a process in the cgroup of Envoy.
func inProxy(name string) func(*exec.Cmd) error {
	return func(cmd *exec.Cmd) error {
		cg, err := cgroup.Open("")
		if err != nil {
			return err
		}
		at := cg.Proxy(name)
		if err := at.Make(); err != nil {
			return err
		}
		return at.Start(cmd)
	}
}

// inHold starts a process in the cgroup of those that carry output.
func inHold(name string) func(*exec.Cmd) error {
	return func(cmd *exec.Cmd) error {
		cg, err := cgroup.Open("")
		if err != nil {
			return err
		}
		return cg.Hold(name).Start(cmd)
	}
}
