package main

import (
	"context"
	"io"

	"github.com/berth-ecs/berth/cmd/berth/doctor"
	"github.com/berth-ecs/berth/cmd/berth/nodeproc"
	"github.com/berth-ecs/berth/cmd/berth/region"
	"github.com/berth-ecs/berth/cmd/berth/tasklogs"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/node/hold"
)

// wiredParts connects the command line with the region's rooms.
func wiredParts() parts {
	return parts{
		runServer: func(ctx context.Context, p process) error {
			defer nodeproc.Settle(p.settings.Name, p.log)()
			return region.Run(ctx, region.Config{Settings: p.settings, Ready: p.ready, Log: p.log, Version: version})
		},
		runNode:  func(ctx context.Context, p process) error { return nodeproc.Run(ctx, nodeConfig(p)) },
		runHold:  runHold,
		destroy:  func(ctx context.Context, p process) error { return nodeproc.Destroy(ctx, nodeConfig(p)) },
		readLog:  readLog,
		examine:  examine,
		restore:  region.Restore,
		coverage: region.WriteCoverage,
		services: region.Services,
		load:     nodeproc.Load,
	}
}

func examine(ctx context.Context, s config.Settings, running bool) []doctor.Finding {
	f := doctor.Gather(ctx, s, running)
	f.Joined = joinedNode(s)
	if s.SharesEtcd() {
		f.Etcd, f.EtcdErr = region.ProbeEtcd(ctx, s)
	}
	return doctor.Examine(f)
}

func nodeConfig(p process) nodeproc.Config {
	return nodeproc.Config{Settings: p.settings, Ready: p.ready, Log: p.log, Version: version}
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
