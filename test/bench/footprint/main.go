// Command footprint measures what an idle region costs: the resident memory of a fresh `berth up` without its containerd, the
// anonymous memory of a node alone, and the share of one core that each uses while nothing happens.
//
//	go run ./test/bench/footprint -idle 60s
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/berth-ecs/berth/test/installation"
)

func main() {
	idle := flag.Duration("idle", time.Minute, "how long idleness is watched")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *idle); err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

// target is what the figures are held against; zero is no target.
type target struct {
	residentMB, anonMB, corePercent float64
}

func run(ctx context.Context, idle time.Duration) error {
	defer installation.Discard()
	fmt.Printf("%-22s %12s %12s %16s\n", "process", "RSS MB", "RssAnon MB", "idle, % of core")
	for _, c := range []struct {
		options installation.Options
		roles   map[installation.Role]target
	}{
		{installation.Options{}, map[installation.Role]target{installation.Up: {residentMB: 150, corePercent: 1.5}}},
		{installation.Options{Split: true}, map[installation.Role]target{installation.Node: {anonMB: 30}, installation.Server: {}}},
	} {
		if err := watch(ctx, c.options, c.roles, idle); err != nil {
			return err
		}
	}
	return nil
}

func watch(ctx context.Context, o installation.Options, roles map[installation.Role]target, idle time.Duration) (err error) {
	region, err := installation.Open(ctx, o)
	if region != nil {
		defer func() { err = errors.Join(err, region.Close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	before := map[installation.Role]usage{}
	for r := range roles {
		if before[r], err = usageOf(region.PID(r)); err != nil {
			return err
		}
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(idle):
	}
	for r, want := range roles {
		u, err := usageOf(region.PID(r))
		if err != nil {
			return err
		}
		percent := 100 * (u.cpu - before[r].cpu).Seconds() / time.Since(began).Seconds()
		fmt.Printf("%-22s %12.1f %12.1f %16.2f   %s\n", "berth "+string(r), u.residentMB, u.anonMB, percent, want.verdict(u, percent))
	}
	return nil
}

func (t target) verdict(u usage, percent float64) string {
	var out strings.Builder
	for _, row := range []struct {
		what       string
		got, limit float64
	}{{"RSS", u.residentMB, t.residentMB}, {"RssAnon", u.anonMB, t.anonMB}, {"idle", percent, t.corePercent}} {
		if row.limit == 0 {
			continue
		}
		met := "met"
		if row.got > row.limit {
			met = "MISSED"
		}
		fmt.Fprintf(&out, "%s at most %g: %s  ", row.what, row.limit, met)
	}
	return out.String()
}
