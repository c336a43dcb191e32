// Command containerd-shim-berth-v1 is the shim of tasks that run in a gVisor sandbox: gVisor's task service with what berth needs around it.
//
// What is guaranteed:
//
//   - One shim serves all containers of one task, which share one sandbox: the container whose annotations say so makes it, the others join.
//   - Its socket lies in the directory that BERTH_SHIM_SOCKETS names, and nowhere else; without it no shim is started. So containerd can
//     find, adopt and clean up after it, but never starts one of its own.
//   - It works wherever the process that starts it may: its OOM score is one above its parent's, not the lowest there is.
//   - It answers while it makes a container, whose output nobody may read any more: that is not waited for.
//   - It outlives containerd. What it cannot tell containerd now it tells it later or not at all; the exit status is asked for.
//
// It is a module of its own because gVisor wants another containerd than berth does.
package main

import (
	"context"
	"fmt"
	"os"

	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"
	"gvisor.dev/gvisor/pkg/shim/v1"
)

// runtimeName is what containerd derives the name of this program from.
const runtimeName = "io.containerd.berth.v1"

// version is what hack/install.sh looks at.
const version = "1.1.1"

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("containerd-shim-berth-v1", version)
		return
	}
	registry.Register(&plugin.Registration{
		Type: plugins.TTRPCPlugin, ID: "task",
		Requires: []plugin.Type{plugins.EventPlugin, plugins.InternalPlugin},
		InitFn:   newService,
	})
	containerdshim.Run(context.Background(), manager{v1.NewShimManager(runtimeName)})
}

func newService(ic *plugin.InitContext) (any, error) {
	events, err := ic.GetByID(plugins.EventPlugin, "publisher")
	if err != nil {
		return nil, err
	}
	down, err := ic.GetByID(plugins.InternalPlugin, "shutdown")
	if err != nil {
		return nil, err
	}
	sd := down.(shutdown.Service) //nolint:forcetypeassert // containerd's own plugin, registered by Run
	inner, err := v1.NewShimRedirector(ic.Context, publisher{events.(containerdshim.Publisher)}, sd)
	if err != nil {
		return nil, err
	}
	return &service{TaskServiceExt: inner, lives: map[process]*life{}}, nil
}
