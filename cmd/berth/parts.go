package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/berth-ecs/berth/cmd/berth/doctor"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/ready"
)

// process is what a long-running part gets.
type process struct {
	settings config.Settings
	log      *slog.Logger
	ready    *ready.State // shared by the parts of one process; each says there what it waits for
}

// parts is what the commands call and main connects: the seam between the command line and the region's rooms.
type parts struct {
	runServer func(context.Context, process) error                               // until ctx ends
	runNode   func(context.Context, process) error                               // until ctx ends; waits for its server
	runHold   func(context.Context, process, []string) error                     // `berth hold`
	destroy   func(context.Context, process) error                               // removes what a stopped node left: containers, containerd, hold, links, rules, mounts, cgroups
	readLog   func(context.Context, config.Settings, logQuery, io.Writer) error  // a task's output
	examine   func(context.Context, config.Settings, bool) []doctor.Finding      // the machine; the last says whether the region runs
	restore   func(context.Context, config.Settings, *slog.Logger, string) error // a server's records of a backup
	coverage  func(io.Writer) error                                              // the operations that are served
	services  func() []string                                                    // the services that are served, by the names of SDKs
	load      func(ctx context.Context, s config.Settings, archive string) error // imports an image archive into the node's image store
}

// logQuery says which output `berth logs` wants.
type logQuery struct {
	Task      string // 32 hexadecimal digits
	Container string // empty: every container, each line with its name
	Follow    bool
}
