package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/berth-ecs/berth/internal/config"
)

// parts is what the commands call and main connects: the seam between the command line and the region's rooms.
type parts struct {
	runServer func(context.Context, config.Settings, *slog.Logger) error           // until ctx ends
	runNode   func(context.Context, config.Settings, *slog.Logger) error           // until ctx ends; waits for its server
	runHold   func(context.Context, config.Settings, *slog.Logger, []string) error // `berth hold`
	destroy   func(context.Context, config.Settings, *slog.Logger) error           // removes what a stopped node left running: containers, containerd, links, rules, mounts
	readLog   func(context.Context, config.Settings, logQuery, io.Writer) error    // a task's output
	coverage  func(io.Writer) error                                                // the operations that are served
	firewalls firewallsFunc                                                        // chains of others that drop forwarded packets
	load      func(context.Context, config.Settings, string) error                 // imports an OCI archive into the node's image store
}

type firewallsFunc = func(context.Context) ([]string, error)

// logQuery says which output `berth logs` wants.
type logQuery struct {
	Task      string // 32 hexadecimal digits
	Container string // empty: every container, each line with its name
	Follow    bool
}

var errNotBuiltIn = errors.New("this binary was built without it")

func missing(part string) error { return fmt.Errorf("%s: %w", part, errNotBuiltIn) }
