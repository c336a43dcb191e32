// Command fargate measures FARGATE: the time from an accepted RunTask to the first instruction, in a gVisor sandbox and on runc, beside
// `ctr run -d` on the same containerd and the same runtime without a network; what idle tasks in sandboxes cost a node beside gVisor's
// own processes; and HTTP requests a second out of a sandbox beside gVisor by hand. Health checks there: test/bench/healthcheck.
//
// The peer in a sandbox is berth's own shim, which is gVisor's task service: gVisor's shim does not start everywhere. All arms are
// interleaved (ABBA) and end at the same event, a time that the program notes first of all. One arm is the peer against itself: a smaller
// difference is noise. It needs root and `make sandbox`.
//
//	go run ./test/bench/fargate -rounds 9
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/berth-ecs/berth/test/installation"
)

func main() {
	rounds := flag.Int("rounds", 9, "rounds of ABBA, at least 7")
	only := flag.String("only", "", "of start, runc, memory and http, separated by commas; all by default")
	cpu := flag.String("cpu", "1024", "CPU units of the tasks that start, with twice as much memory")
	spares := flag.Int("ahead", 1, "sandboxes made ahead")
	tasks := flag.Int("tasks", 50, "idle tasks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &bench{rounds: max(*rounds, 7), cpu: *cpu, ahead: *spares, tasks: *tasks}
	if err := b.run(ctx, strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "fargate:", err)
		os.Exit(1)
	}
}

// bench is what is measured, and on which region.
type bench struct {
	*installation.Installation

	rounds, ahead, tasks int
	cpu                  string
	sockets, report      string // directories: of the peer's shims, and where its containers note their beginning
	count                int
}

func (b *bench) run(ctx context.Context, only []string) error {
	defer installation.Discard()
	for _, part := range []struct {
		name     string
		settings []string
		measure  func(context.Context) error
	}{
		{"start", []string{"fargate-runtime=runsc"}, b.startSandboxed},
		{"runc", []string{"fargate-runtime=runc"}, b.startPlain},
		{"http", []string{"fargate-runtime=runsc"}, b.http},
		{"memory", []string{"fargate-runtime=runsc", "split"}, b.idle},
	} {
		if !slices.Equal(only, []string{""}) && !slices.Contains(only, part.name) {
			continue
		}
		if err := b.within(ctx, part.settings, part.measure); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// within measures on a region of its own.
func (b *bench) within(ctx context.Context, settings []string, measure func(context.Context) error) (err error) {
	dir, err := os.MkdirTemp("/run", "fb")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b.sockets, b.report = dir+"/s", dir+"/r"
	for _, d := range []string{b.sockets, b.report} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	o := installation.Options{Settings: []string{"log-level=warn", fmt.Sprintf("sandboxes-ahead=%d", b.ahead)}}
	for _, s := range settings {
		if s == "split" {
			o.Split = true
			continue
		}
		o.Settings = append(o.Settings, s)
	}
	b.Installation, err = installation.Open(ctx, o)
	if b.Installation != nil {
		defer func() { err = errors.Join(err, b.Close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	defer b.release()
	return measure(ctx)
}
