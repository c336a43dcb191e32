package nodeproc

import (
	"context"
	"log/slog"
	"os/exec"
	"time"

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
	emptyTime  = 5 * time.Second // what a process that was killed takes to be gone, generously
	emptyEvery = 10 * time.Millisecond
)

// unsettle removes the cgroups of the installation's own processes, which have ended or are about to.
func unsettle(ctx context.Context, name string) error {
	cg, err := cgroup.Open("")
	if err != nil {
		return err
	}
	for end := time.Now().Add(emptyTime); ; {
		err := cg.Unsettle(name)
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
