package main

import (
	"context"
	"io"

	"github.com/berth-ecs/berth/cmd/berth/doctor"
	"github.com/berth-ecs/berth/cmd/berth/tasklogs"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/node/hold"
)

// wiredParts connects the command line with the region's rooms.
func wiredParts() parts {
	return parts{
		runServer: missing,
		runNode:   missing,
		runHold:   runHold,
		destroy:   func(context.Context, process) error { return nil },
		readLog:   readLog,
		examine:   examine,
		coverage:  func(io.Writer) error { return errNotBuiltIn },
		load:      func(context.Context, config.Settings, string) error { return errNotBuiltIn },
	}
}

func examine(ctx context.Context, s config.Settings, running bool) []doctor.Finding {
	return doctor.Examine(doctor.Gather(ctx, s, running))
}

func runHold(ctx context.Context, p process, args []string) error {
	c, err := hold.ParseFlags(args)
	if err != nil {
		return err
	}
	c.Log = p.log
	return hold.Main(ctx, c)
}

func readLog(ctx context.Context, s config.Settings, q logQuery, w io.Writer) error {
	dir := hold.Config{DataDir: s.DataDir}.LogDir()
	return tasklogs.Show(ctx, tasklogs.Query{Dir: dir, Task: q.Task, Container: q.Container, Follow: q.Follow}, w)
}
