package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/berth-ecs/berth/session"
)

// Sandboxes says what this node can do with gVisor.
type Sandboxes int

// What it can do.
const (
	NoSandboxes    Sandboxes = iota // gVisor is not installed
	AskedSandboxes                  // for tasks that ask for it by label; those of FARGATE run on runc
	AllSandboxes                    // for those of FARGATE too
)

// Runtime is what tasks on FARGATE run on.
func (s Sandboxes) Runtime() string {
	if s == AllSandboxes {
		return "runsc"
	}
	return "runc"
}

// LabelSandbox on one container of a task asks for a sandbox around the task; its only value is SandboxGvisor.
const (
	LabelSandbox  = "berth.sandbox"
	SandboxGvisor = "gvisor"
)

// wantsSandbox decides what a task runs on.
func (t *Task) wantsSandbox(can Sandboxes) (bool, error) {
	asked := false
	for _, c := range t.Containers {
		v, ok := c.Labels[LabelSandbox]
		if ok && v != SandboxGvisor {
			return false, fmt.Errorf("docker label %s=%q: must be %s", LabelSandbox, v, SandboxGvisor)
		}
		asked = asked || ok
	}
	if asked {
		return true, t.fitsSandbox(can)
	}
	return t.LaunchType == fargate && can == AllSandboxes && t.Interface != nil && !t.pauses(), nil
}

// pauses says whether no program of users runs in the task.
func (t *Task) pauses() bool {
	return !slices.ContainsFunc(t.Containers, func(c Container) bool { return c.Image != session.PauseImage })
}

// fitsSandbox: a sandbox has one network and one kernel, its own.
func (t *Task) fitsSandbox(can Sandboxes) error {
	const asks = "docker label " + LabelSandbox + ": "
	switch {
	case can == NoSandboxes:
		return errors.New(asks + "this node has no gVisor (make sandbox)")
	case t.NetworkMode != AwsVpc:
		return fmt.Errorf(asks+"a sandbox has one network interface, so networkMode must be awsvpc, not %s", t.NetworkMode)
	case t.PidMode == Host || t.IpcMode != "":
		return errors.New(asks + "a sandbox shares neither processes nor IPC with the machine; pidMode may be task, ipcMode must not be given")
	case slices.ContainsFunc(t.Containers, func(c Container) bool { return c.Privileged || len(c.Devices) > 0 }):
		return errors.New(asks + "there are neither privileged containers nor devices of the machine in a sandbox")
	}
	return nil
}
