package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/cmd/berth/tryout"
	"github.com/berth-ecs/berth/internal/config"
)

type upCommand struct {
	Foreground bool          `help:"Stay in the foreground and log to standard error."`
	Sample     bool          `help:"Then run a sample service: two replicas of a small web container behind a load balancer."`
	LaunchType string        `help:"What the sample service runs as: EC2 or FARGATE." enum:"EC2,FARGATE" default:"EC2"`
	Servers    int           `help:"To try several machines out on this one: how many servers (1, 3 or 5) there are to be, each in a network namespace of its own." placeholder:"N"`
	Nodes      int           `help:"How many nodes there are to be, as --servers." placeholder:"N"`
	Network    string        `help:"The network that those machines are on." placeholder:"10.99.0.0/24"`
	Timeout    time.Duration `help:"How long to wait until the region is ready (default: a minute, and 20s more for each machine of several)." placeholder:"DURATION"`
}

func (c upCommand) Run(ctx context.Context, a *app) error {
	if c.Foreground {
		return a.foreground(ctx)
	}
	if err := c.region(ctx, a); err != nil {
		return err
	}
	if c.Sample {
		return a.sample(ctx, c.LaunchType)
	}
	a.printf("\nPoint a shell's AWS tools at it:\n\n    eval \"$(%s env)\"\n", os.Args[0])
	return nil
}

// patience is how long a machine may take to be ready.
const patience = time.Minute

// region makes sure that the region runs and is ready.
func (c upCommand) region(ctx context.Context, a *app) error {
	if c.Servers != 0 || c.Nodes != 0 || c.Network != "" || tryout.There(a.settings.DataDir) {
		return c.several(ctx, a)
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, patience))
	defer cancel()
	begin := time.Now()
	page := health.Page(a.settings.Endpoint())
	pid, running, err := background.Running(a.settings.PIDFile())
	if err != nil {
		return fmt.Errorf("up: %w", err)
	}
	if running {
		if err := background.Await(ctx, page.Ready, a.progress); err != nil {
			return fmt.Errorf("up: process %d runs already, but is %w; look into %s, or stop it with: %s down", pid, err, a.settings.LogFile(), os.Args[0])
		}
		a.printf("region    runs already (process %d, %s)\n", pid, a.settings.Endpoint())
		return a.fargate(ctx)
	}
	if err := a.fit(ctx); err != nil {
		return fmt.Errorf("up: %w", err)
	}
	child, err := a.spawn("up", "--foreground")
	if err != nil {
		return fmt.Errorf("up: %w", err)
	}
	a.printf("region    starting (process %d, log %s)\n", child.PID, a.settings.LogFile())
	if err := child.Await(ctx, page.Ready, a.progress); err != nil {
		return fmt.Errorf("up: %w%s\n  whole log: %s\n  check the machine with: %s doctor", err, lastLines(a.settings.LogFile()), a.settings.LogFile(), os.Args[0])
	}
	a.printf("region    ready at %s after %.1f s\n", a.settings.Endpoint(), time.Since(begin).Seconds())
	return a.fargate(ctx)
}

// progress shows what the region is doing before it is ready.
func (a *app) progress(doing string) { a.printf("          %s\n", doing) }

// spawn starts this program as the region. Its settings travel as environment: secrets stay out of the process list, and
// the child needs neither our file nor our working directory.
func (a *app) spawn(args ...string) (*background.Child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	env := slices.Concat(a.environ, []string{config.FileVariable + "="}, a.settings.Environ())
	return background.Start(background.Command{
		Exe: exe, Args: args, Env: env, LogFile: a.settings.LogFile(),
	})
}

// lastLines returns the end of a log, indented, so that a failure can be read where it is reported.
func lastLines(path string) string {
	const lines = 8
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "\n    " + strings.Join(all[max(0, len(all)-lines):], "\n    ")
}
