package engine

import (
	"github.com/berth-ecs/berth/node/agent/files"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/runtime"
)

// The labels by which a container is known to whoever looks at containerd.
const (
	LabelTask      = "berth.task-arn"
	LabelContainer = "berth.container-name"
	LabelSpec      = "berth.spec-digest" // of the container as the payload carried it
)

// container assembles what the runtime makes of container i.
func (t *Task) container(i int, dataDir string) runtime.Container {
	c, p := &t.Containers[i], &t.Plan.Containers[i]
	return runtime.Container{
		ID: p.ID, TaskID: t.ID, Name: p.Name,
		Labels: map[string]string{LabelTask: t.ARN, LabelContainer: p.Name, LabelSpec: plan.Digest(t.Payload.Containers[i])},
		Image:  c.image, EntryPoint: p.EntryPoint, Command: p.Command, LinkEnv: t.Plan.LinkEnv(i, t.linked), Env: p.Environ(c.image.Env),
		User: p.User, WorkingDirectory: p.WorkingDirectory, Hostname: p.Hostname,
		Netns: c.Endpoint.Netns, Mounts: files.Mounts(p, files.Dir(dataDir, t.ID, i)),
		CPUShares: p.CPUShares, MemoryMiB: p.MemoryMiB, MemoryReservationMiB: p.MemoryReservationMiB,
		Ulimits: p.Ulimits, ReadonlyRootfs: p.ReadonlyRootfs, Privileged: p.Privileged,
		CapAdd: p.CapAdd, CapDrop: p.CapDrop, Sysctls: p.Sysctls,
		Devices: p.Devices, SwapMiB: p.SwapMiB, Swappiness: p.Swappiness, ShmBytes: p.ShmBytes,
		Init: p.Init, Terminal: p.Terminal, OpenStdin: p.OpenStdin, PID: t.Plan.PidMode, IPC: t.Plan.IpcMode,
		Stdout: c.output.Stdout, Stderr: c.output.Stderr, StopSignal: c.StopSignal,
	}
}
