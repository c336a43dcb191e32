package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/tryout"
	"github.com/berth-ecs/berth/joining"
)

// hostCommand is for the machines of `berth up --servers --nodes`.
type hostCommand struct {
	List   hostListCommand   `cmd:"" default:"1" help:"Show the machines."`
	Stop   hostStopCommand   `cmd:"" help:"End the server or node of machines in order; their containers run on."`
	Kill   hostKillCommand   `cmd:"" help:"Kill the server or node of machines; their containers run on."`
	Start  hostStartCommand  `cmd:"" help:"Start machines with this program; one that was lost is a new one, which joins."`
	Lose   hostLoseCommand   `cmd:"" help:"Lose machines with their disks."`
	Add    hostAddCommand    `cmd:"" help:"Add a machine, which joins."`
	Remove hostRemoveCommand `cmd:"" help:"Lose machines, and forget them."`
	Cut    hostCutCommand    `cmd:"" help:"Take machines off the wire. Nobody is told."`
	Slow   hostSlowCommand   `cmd:"" help:"Make the links of machines slow and lossy."`
	Mend   hostMendCommand   `cmd:"" help:"Make the links of machines whole again."`
	Clock  hostClockCommand  `cmd:"" help:"Set the clocks of machines off: ahead, behind, or by neither right again."`
	Run    hostRunCommand    `cmd:"" help:"Run a command on a machine, with its settings: berth host run s1 berth machines."`
}

// host says which command failed.
func (a *app) host(command string, f func(*tryout.Region) error) error {
	r, err := a.tryout()
	if err == nil {
		err = f(r)
	}
	if err != nil {
		return fmt.Errorf("host %s: %w", command, err)
	}
	return nil
}

type hostListCommand struct{}

func (hostListCommand) Run(a *app) error {
	return a.host("list", func(r *tryout.Region) error {
		all, err := r.List()
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "NAME\tROLE\tADDRESS\tZONE\tSTATE\tLINK\tDATA")
		for _, m := range all {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.Name, m.Role, m.Address, m.Zone, m.State, m.Link, m.Data)
		}
		return table.Flush()
	})
}

// hostNames are the machines that a command is about.
type hostNames struct {
	Names []string `arg:"" name:"name" help:"The machines, as berth host shows them."`
}

type hostStopCommand struct{ hostNames }

func (c hostStopCommand) Run(ctx context.Context, a *app) error {
	return a.host("stop", func(r *tryout.Region) error { return r.Stop(ctx, c.Names, syscall.SIGTERM) })
}

type hostKillCommand struct{ hostNames }

func (c hostKillCommand) Run(ctx context.Context, a *app) error {
	return a.host("kill", func(r *tryout.Region) error { return r.Stop(ctx, c.Names, syscall.SIGKILL) })
}

type hostStartCommand struct {
	hostNames
	Timeout time.Duration `help:"How long to wait until a server is ready." default:"60s"`
}

func (c hostStartCommand) Run(ctx context.Context, a *app) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	return a.host("start", func(r *tryout.Region) error { return r.Start(ctx, c.Names) })
}

type hostLoseCommand struct{ hostNames }

func (c hostLoseCommand) Run(ctx context.Context, a *app) error {
	return a.host("lose", func(r *tryout.Region) error { return r.Lose(ctx, c.Names) })
}

type hostAddCommand struct {
	Role    string        `arg:"" help:"What it is to be: node or server." enum:"node,server"`
	Timeout time.Duration `help:"How long to wait until a server is ready." default:"60s"`
}

func (c hostAddCommand) Run(ctx context.Context, a *app) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	return a.host("add", func(r *tryout.Region) error {
		m, err := r.Add(ctx, joining.Role(c.Role))
		if err == nil {
			a.printf("%s\n", m.Name)
		}
		return err
	})
}

type hostRemoveCommand struct{ hostNames }

func (c hostRemoveCommand) Run(ctx context.Context, a *app) error {
	return a.host("remove", func(r *tryout.Region) error { return r.Remove(ctx, c.Names) })
}

type hostCutCommand struct{ hostNames }

func (c hostCutCommand) Run(ctx context.Context, a *app) error {
	return a.host("cut", func(r *tryout.Region) error { return r.Bend(ctx, c.Names, func(l *tryout.Link) { l.Cut = true }) })
}

type hostSlowCommand struct {
	hostNames
	Delay  time.Duration `help:"How much longer each packet takes, one way." default:"0s"`
	Jitter time.Duration `help:"Up to how much more." default:"0s"`
	Loss   float64       `help:"How many of a hundred packets go astray."`
}

func (c hostSlowCommand) Run(ctx context.Context, a *app) error {
	return a.host("slow", func(r *tryout.Region) error {
		if c.Delay < 0 || c.Jitter < 0 || c.Loss < 0 || c.Loss > 100 {
			return errors.New("delay and jitter are not negative, loss is from 0 to 100")
		}
		return r.Bend(ctx, c.Names, func(l *tryout.Link) { l.Delay, l.Jitter, l.Loss = c.Delay, c.Jitter, c.Loss })
	})
}

type hostMendCommand struct{ hostNames }

func (c hostMendCommand) Run(ctx context.Context, a *app) error {
	return a.host("mend", func(r *tryout.Region) error { return r.Bend(ctx, c.Names, func(l *tryout.Link) { *l = tryout.Link{} }) })
}

type hostClockCommand struct {
	hostNames
	Ahead   time.Duration `help:"How far they are to be ahead." default:"0s"`
	Behind  time.Duration `help:"How far they are to be behind." default:"0s"`
	Timeout time.Duration `help:"How long to wait until a server is ready." default:"60s"`
}

func (c hostClockCommand) Run(ctx context.Context, a *app) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	return a.host("clock", func(r *tryout.Region) error { return r.Clock(ctx, c.Names, c.Ahead-c.Behind) })
}

type hostRunCommand struct {
	Name string   `arg:"" help:"The machine."`
	Args []string `arg:"" name:"command" passthrough:"" help:"The command and its arguments. berth is this program."`
}

func (c hostRunCommand) Run(ctx context.Context, a *app) error {
	return a.host("run", func(r *tryout.Region) error {
		return r.Run(ctx, c.Name, c.Args, a.stdout, a.stderr)
	})
}
