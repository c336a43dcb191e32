package agent

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/berth-ecs/berth/node/agent/engine"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Runtime is what the agent needs of node/runtime.
type Runtime interface {
	engine.Runtime
	Stats(ctx context.Context, id string) (runtime.Stats, error)
	StorageUse(taskID string) (runtime.StorageUse, bool)
}

// Interfaces is what the agent needs of the node's part of the virtual networks.
type Interfaces interface {
	engine.Interfaces
	// VPC is the one an interface is in, "" when the node does not know.
	VPC(id string) string
}

// Config says who the node is and what it works with.
type Config struct {
	Endpoint    string                   // required: of the servers' API, such as http://127.0.0.1:4566
	Region      string                   // required
	Cluster     string                   // required: name or ARN, sent as it is
	Credentials func() sigv4.Credentials // required: asked for every signature
	Ready       <-chan struct{}          // optional: closed when there are credentials
	DataDir     string                   // required: absolute

	// NodeID is the name of this machine to its servers. Optional: one that is made at the first start. It may not change.
	NodeID string

	Runtime Runtime        // required
	Network engine.Network // required
	Logs    engine.Logs    // required: node/hold's client
	// Interfaces are tasks' own. Optional: without, the node takes no tasks in awsvpc.
	Interfaces Interfaces
	// Fargate offers the node's capacity to FARGATE, whose tasks are in awsvpc, beside the container instance that it is.
	Fargate bool
	// Proxy is the version of the Envoy that the node can run. Optional: without, it has no load balancers.
	Proxy string
	// StorageGiB of the disk are for the ephemeral storage of tasks on FARGATE. Without, it has no such tasks.
	StorageGiB int64

	Sandboxes    plan.Sandboxes    // optional: which tasks run in gVisor
	Zone         string            // optional: availability zone
	InstanceType string            // optional: such as "m5.large"
	Address      netip.Addr        // optional: the machine's, on the network of the machines
	Resolver     netip.Addr        // optional: whom tasks without an interface ask for names; the machine's servers
	Attributes   map[string]string // optional: custom attributes
	Tags         map[string]string // optional: of the container instance

	CPU               int64    // optional: CPU units; default 1,024 for each CPU
	MemoryMiB         int64    // optional: default the machine's
	ReservedMemoryMiB int64    // optional: not for tasks
	ReservedPorts     []string // optional: TCP ports that tasks cannot have; default 22

	Pull        runtime.Behaviour // optional: default runtime.PullDefault
	StopTimeout time.Duration     // optional: default 30 s
	Retention   time.Duration     // optional: of stopped tasks and their output; default 3 h

	Version string       // optional: of this agent
	Hash    string       // optional: of its source
	HTTP    *http.Client // optional
	Log     *slog.Logger // optional
}

func (c Config) check() (Config, error) {
	for _, f := range []struct {
		field string
		empty bool
	}{
		{"Endpoint", c.Endpoint == ""}, {"Region", c.Region == ""}, {"Cluster", c.Cluster == ""}, {"Credentials", c.Credentials == nil},
		{"Runtime", c.Runtime == nil}, {"Network", c.Network == nil}, {"Logs", c.Logs == nil},
	} {
		if f.empty {
			return c, fmt.Errorf("agent: Config.%s is required", f.field)
		}
	}
	if !filepath.IsAbs(c.DataDir) {
		return c, fmt.Errorf("agent: Config.DataDir %q must be an absolute path", c.DataDir)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Version == "" {
		c.Version = "0.0.0"
	}
	if c.ReservedPorts == nil {
		c.ReservedPorts = []string{"22"}
	}
	return c, nil
}
