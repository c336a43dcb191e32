package sandbox

import (
	"context"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/shim"
)

// Making is what a sandbox is made from.
type Making struct {
	Name    string            // required: the task, or one of NewName
	Spec    *specs.Spec       // required: as Spec answered it
	Address string            // required: where its shim answers
	Labels  map[string]string // of containerd's records
}

// Make makes and starts a sandbox's first container: the sandbox is there then. What a failure leaves is the caller's to remove.
func (c Config) Make(ctx context.Context, cd *client.Client, m Making) error {
	id := First(m.Name)
	document, err := typeurl.MarshalAny(m.Spec)
	if err != nil {
		return err
	}
	opts, err := typeurl.MarshalAny(c.Options(m.Name))
	if err != nil {
		return err
	}
	// Without this record containerd forgets what ends while it is away.
	_, err = cd.SandboxStore().Create(ctx, sandbox.Sandbox{
		ID: id, Sandboxer: "shim", Labels: m.Labels, Runtime: sandbox.RuntimeOpts{Name: Runtime},
	})
	if err != nil {
		return err
	}
	_, err = cd.ContainerService().Create(ctx, containers.Container{
		ID: id, Labels: m.Labels, Spec: document, SandboxID: id, Runtime: containers.RuntimeInfo{Name: Runtime, Options: opts},
	})
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.BoxRecorded)
	_, err = cd.TaskService().Create(ctx, &tasks.CreateTaskRequest{ContainerID: id, TaskApiAddress: "ttrpc+" + m.Address, TaskApiVersion: shim.APIVersion})
	if err == nil {
		failpoint.Hit(failpoint.BoxCreated)
		_, err = cd.TaskService().Start(ctx, &tasks.StartRequest{ContainerID: id})
	}
	return errgrpc.ToNative(err)
}
