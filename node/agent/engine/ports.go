package engine

import (
	"context"
	"time"

	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
)

// Images pulls.
type Images interface {
	Pull(ctx context.Context, ref string, p runtime.Pull) (runtime.Image, error)
}

// Registries signs in to the registries that ask for it; fresh says that the last login was refused.
type Registries interface {
	Login(ctx context.Context, r plan.Registry, fresh bool) (runtime.Login, error)
}

// Containers makes, runs and removes containers; node/runtime is one.
type Containers interface {
	Create(ctx context.Context, c runtime.Container) error
	Start(ctx context.Context, id string) (pid int, at time.Time, err error)
	Kill(ctx context.Context, id, signal string) error
	Exec(ctx context.Context, id string, args []string, timeout time.Duration) (code int, output []byte, err error)
	Delete(ctx context.Context, id string) error
}

// Renewal gives containers that have ended another life.
type Renewal interface {
	Renew(ctx context.Context, id string) error
}

// Tasks makes and removes what the containers of a task share.
type Tasks interface {
	// Store gives a task a file system of its own, where plan.Dir is.
	Store(ctx context.Context, taskID string, gib int64) error
	Prepare(ctx context.Context, t runtime.Task) error
	Sandboxed(taskID string) bool // it began in a sandbox, and goes on there whatever the node is told since
	Release(ctx context.Context, taskID string) error
	Sweep(ctx context.Context, keep func(taskID string) bool) error
}

// Truth says what really runs.
type Truth interface {
	List(ctx context.Context) ([]runtime.State, error)
	Events(ctx context.Context) <-chan runtime.Event
}

// Runtime is all of them.
type Runtime interface {
	Images
	Containers
	Renewal
	Tasks
	Truth
}

// Network gives containers their namespaces and ports.
type Network interface {
	Attach(ctx context.Context, id string, m network.Mode, ports []network.Port) (network.Endpoint, error)
	Detach(ctx context.Context, id string) error
	Endpoints(ctx context.Context) ([]network.Endpoint, error)
	Sweep(ctx context.Context, keep func(id string) bool) error
}

// Interfaces are what tasks in awsvpc mode are connected with; they come with the node's configuration.
type Interfaces interface {
	// Netns is the path of an interface's namespace, whether it is there or not.
	Netns(id string) string
	// Wait returns when the interface is up in its namespace.
	Wait(ctx context.Context, id string) error
	// HandOver waits likewise, and takes the interface from the kernel, for a sandbox.
	HandOver(ctx context.Context, id string) (runtime.Interface, error)
}

// Logs keeps the output of containers.
type Logs interface {
	Open(ctx context.Context, container, name string) (hold.FIFOs, error)
	Close(ctx context.Context, container string) error
	Remove(ctx context.Context, taskID string) error
}

// Store is the node's small database: task records by ARN. Save returns when they are on disk, all or none.
type Store interface {
	Save(records map[string][]byte) error
	Load() (map[string][]byte, error)
	Delete(arn string) error
}
