package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/failpoint"
)

// commands is the command line. Settings are added to it by settingFlags.
type commands struct {
	Config string `help:"Configuration file (default: ${configFile} if it exists)." env:"BERTH_CONFIG" placeholder:"FILE"`

	Up       upCommand       `cmd:"" help:"Start a server and a node on this machine, in the background."`
	Down     downCommand     `cmd:"" help:"Stop the region of this machine and everything it runs."`
	Server   serverCommand   `cmd:"" help:"Run a server: the AWS API, the store and the control loops."`
	Node     nodeCommand     `cmd:"" help:"Run a node: it runs tasks for a server."`
	Hold     holdCommand     `cmd:"" hidden:"" passthrough:"" help:"Own what must outlive the node process."`
	Front    frontCommand    `cmd:"" hidden:"" help:"Be the endpoint of several machines on this one."`
	Env      envCommand      `cmd:"" help:"Print the exports that point a shell's AWS tools at the region."`
	Status   statusCommand   `cmd:"" help:"Show what runs."`
	Doctor   doctorCommand   `cmd:"" help:"Check this machine and say what to do about each finding."`
	Top      topCommand      `cmd:"" help:"Show what tasks and containers use, again and again."`
	Logs     logsCommand     `cmd:"" help:"Show the output of a task's containers."`
	VPC      vpcCommand      `cmd:"" name:"vpc" help:"Ask about networks."`
	LB       lbCommand       `cmd:"" name:"lb" help:"Ask about load balancers."`
	Proxy    proxyCommand    `cmd:"" help:"See to the program that load balancers need."`
	Ticket   ticketCommand   `cmd:"" help:"Make a ticket with which a machine becomes a node or a server of this installation."`
	Machines machinesCommand `cmd:"" help:"Show or remove the machines of this installation."`
	Host     hostCommand     `cmd:"" help:"Show or change the machines of berth up --servers --nodes: stop, lose, cut them."`
	Backup   backupCommand   `cmd:"" help:"Write a copy of the region's records, while it runs."`
	Unit     unitCommand     `cmd:"" help:"Print a unit file for systemd."`
	Restore  restoreCommand  `cmd:"" help:"Make a server's records of a backup, on a machine that has none."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// invocation is one call of the program.
type invocation struct {
	args           []string
	environ        []string
	stdout, stderr io.Writer
	parts          parts
	exit           func(int) // called by --help
}

// app is what a command's Run gets.
type app struct {
	invocation
	settings config.Settings
	log      *slog.Logger
	// configFile is the one that was named, "" for the default one.
	configFile string
	// installed is the account that the settings name without the flag: that of access-key, if the flag does not come with keys of its own.
	installed string
}

const (
	exitDone = iota
	exitFailed
	exitUsage
)

// run executes one command line and returns the exit status.
func run(ctx context.Context, in invocation) int {
	if err := failpoint.Arm(in.environ); err != nil {
		return fail(in.stderr, exitUsage, err)
	}
	var cli commands
	flags := newSettingFlags(config.Keys())
	parser, err := kong.New(&cli,
		kong.Name("berth"),
		kong.Description("Amazon ECS that you run yourself. Every setting is a flag, an environment variable (--data-dir is BERTH_DATA_DIR) and a key of the file."),
		kong.Vars{"configFile": defaultConfigFile},
		kong.Writers(in.stdout, in.stderr),
		kong.Exit(in.exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Embed(flags.grammar),
	)
	if err != nil {
		return fail(in.stderr, exitFailed, err)
	}
	if len(in.args) == 0 {
		in.args = []string{"--help"}
	}
	call, err := parser.Parse(in.args)
	if err != nil {
		return fail(in.stderr, exitUsage, fmt.Errorf("%w; see berth --help", nearestFlag(err, in.args)))
	}
	a, err := newApp(in, cli.Config, flags.given())
	if err != nil {
		return fail(in.stderr, exitUsage, err)
	}
	call.BindTo(ctx, (*context.Context)(nil))
	if err := call.Run(a); err != nil && !errors.Is(err, context.Canceled) {
		return fail(in.stderr, exitFailed, err)
	}
	return exitDone
}

func newApp(in invocation, configFile string, flags []config.Value) (*app, error) {
	file, err := readFile(configFile)
	if err != nil {
		return nil, err
	}
	settings, err := config.Load(config.Layers{Flags: flags, Environ: in.environ, File: file})
	if err != nil {
		return nil, err
	}
	clock.Set(settings.ClockOffset)
	return &app{
		invocation: in, settings: settings, log: newLogger(in.stderr, settings), configFile: configFile, installed: installedAccount(in.environ, file, flags),
	}, nil
}

// installedAccount is the account whose root keys the access-key of the settings is of.
func installedAccount(environ []string, file, flags []config.Value) string {
	own := func(v config.Value) bool { return v.Key == "access-key" }
	if !slices.ContainsFunc(flags, own) {
		flags = slices.DeleteFunc(slices.Clone(flags), func(v config.Value) bool { return v.Key == "account" })
	}
	s, err := config.Load(config.Layers{Flags: flags, Environ: environ, File: file})
	if err != nil {
		return "" // the flag alone makes these settings valid: none is assumed
	}
	return s.Account
}

func fail(w io.Writer, status int, err error) int {
	fmt.Fprintf(w, "berth: %v\n", err)
	return status
}

func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.stdout, format, args...) }
