// Package proxy is a node's part in balancing load: the Envoy of the machine, and the relay that tells it what servers say.
//
// Guarantees:
//
//   - A node that has nothing to balance runs no Envoy; one that had something ends it after a while.
//   - Envoy outlives this process, and the next one adopts it. While this process, or every server, is gone, it goes on with what it was told.
//   - Stop leaves nothing: no process, socket or mount.
package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/node/proxy/envoy"
	"github.com/berth-ecs/berth/node/proxy/probe"
	"github.com/berth-ecs/berth/node/proxy/relay"
)

// Config is what a Proxy needs. The directories are the node's.
type Config struct {
	Program         string                                      // required: Envoy's path
	DataDir, RunDir string                                      // required
	Spaces          relay.Spaces                                // required: networks of interfaces
	Dial            probe.Dialer                                // required: to targets
	Stream          func(ctx context.Context) (net.Conn, error) // required: to a server
	Spawn           func(*exec.Cmd) error                       // optional: starts Envoy, in a cgroup of its own
	Leisure         time.Duration                               // optional: how long an Envoy stays that has nothing to do; a minute
	Log             *slog.Logger                                // required
}

// LogDir is where access logs are.
func (c Config) LogDir() string { return filepath.Join(c.DataDir, "logs", "elb") }

func (c Config) dirs() (data, run string) {
	return filepath.Join(c.DataDir, "proxy"), filepath.Join(c.RunDir, "proxy")
}

func (c Config) envoy() envoy.Config {
	data, run := c.dirs()
	return envoy.Config{Program: c.Program, DataDir: data, RunDir: run, Spawn: c.Spawn, Leisure: c.Leisure, Log: c.Log}
}

// Proxy is a node's.
type Proxy struct {
	supervisor *envoy.Supervisor
	relay      *relay.Relay
}

// Open reads what the process before was told. Nothing runs before Run.
func Open(c Config) (*Proxy, error) {
	data, run := c.dirs()
	for _, dir := range []string{data, run} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("proxy: %w", err)
		}
	}
	e := c.envoy()
	p := &Proxy{supervisor: envoy.New(e)}
	var err error
	p.relay, err = relay.Open(relay.Config{
		DataDir: data, RunDir: run, LogDir: c.LogDir(), Socket: e.Socket(), Spaces: c.Spaces, Dial: c.Dial, Stream: c.Stream,
		Want: p.supervisor.Want, Admin: e.Admin(), Pid: p.supervisor.Pid, Log: c.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return p, nil
}

// Look says that networks of interfaces may have come or gone.
func (p *Proxy) Look() { p.relay.Look() }

// Pid is Envoy's, 0 while none runs.
func (p *Proxy) Pid() int { return p.supervisor.Pid() }

// Run relays and supervises until ctx ends. Envoy goes on.
func (p *Proxy) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.supervisor.Run(ctx) })
	group.Go(func() error { return p.relay.Run(ctx) })
	return group.Wait()
}

// Stop ends the Envoy of a node that has stopped, and forgets what it was told.
func Stop(ctx context.Context, c Config) error {
	if err := envoy.Stop(ctx, c.envoy()); err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	data, run := c.dirs()
	if err := os.RemoveAll(run); err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	return os.RemoveAll(filepath.Join(data, "resources"))
}
