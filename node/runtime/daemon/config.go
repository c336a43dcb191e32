package daemon

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
)

// Config says where containerd lives; every field is required.
type Config struct {
	BinDir                           string // holds containerd, its shim and runc
	DataDir, RunDir                  string
	Address, TTRPCAddress, SocketDir string
	Log                              *slog.Logger
}

// disabledPlugins are the parts of containerd nothing here asks for. What the
// sandbox store needs stays: without it a container's exit code is lost when it
// exits while containerd is down.
var disabledPlugins = []string{
	"io.containerd.cri.v1.images",
	"io.containerd.cri.v1.runtime",
	"io.containerd.grpc.v1.cri",
	"io.containerd.nri.v1.nri",
	"io.containerd.podsandbox.controller.v1.podsandbox",
	"io.containerd.sandbox.controller.v1.shim",
	"io.containerd.grpc.v1.sandbox-controllers",
	"io.containerd.differ.v1.erofs",
	"io.containerd.mount-handler.v1.erofs",
	"io.containerd.snapshotter.v1.blockfile",
	"io.containerd.snapshotter.v1.btrfs",
	"io.containerd.snapshotter.v1.devmapper",
	"io.containerd.snapshotter.v1.erofs",
	"io.containerd.snapshotter.v1.native",
	"io.containerd.snapshotter.v1.zfs",
	"io.containerd.image-verifier.v1.bindir",
	"io.containerd.internal.v1.opt",
	"io.containerd.internal.v1.restart",
	"io.containerd.monitor.container.v1.restart",
	"io.containerd.internal.v1.tracing",
	"io.containerd.tracing.processor.v1.otlp",
	"io.containerd.monitor.task.v1.cgroups",
	"io.containerd.streaming.v1.manager",
	"io.containerd.grpc.v1.streaming",
	"io.containerd.transfer.v1.local",
	"io.containerd.grpc.v1.transfer",
	"io.containerd.mount-manager.v1.bolt",
	"io.containerd.grpc.v1.mounts",
	"io.containerd.grpc.v1.healthcheck",
	"io.containerd.metrics.v1.grpc-prometheus",
	"io.containerd.metrics.v1.grpc-otel",
	"io.containerd.server.v1.metrics",
	"io.containerd.server.v1.debug",
	"io.containerd.server.v1.grpc-tcp",
}

// Text is the text of containerd's configuration. It shares nothing
// with another containerd: root, state, sockets and the shims' sockets are ours.
func Text(c Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version = 4\nroot = %q\nstate = %q\nimports = []\n", filepath.Join(c.DataDir, "containerd"), filepath.Join(c.RunDir, "containerd"))
	b.WriteString("disabled_plugins = [\n")
	for _, p := range disabledPlugins {
		fmt.Fprintf(&b, "  %q,\n", p)
	}
	b.WriteString("]\n")
	fmt.Fprintf(&b, "\n[plugins.\"io.containerd.server.v1.grpc\"]\n  address = %q\n", c.Address)
	fmt.Fprintf(&b, "\n[plugins.\"io.containerd.server.v1.ttrpc\"]\n  address = %q\n", c.TTRPCAddress)
	fmt.Fprintf(&b, "\n[plugins.\"io.containerd.shim.v1.manager\"]\n  socket_dir = %q\n", c.SocketDir)
	return b.String()
}
