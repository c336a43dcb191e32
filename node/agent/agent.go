package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/berth-ecs/berth/node/agent/acs"
	"github.com/berth-ecs/berth/node/agent/api"
	"github.com/berth-ecs/berth/node/agent/db"
	"github.com/berth-ecs/berth/node/agent/engine"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/agent/report"
	"github.com/berth-ecs/berth/node/agent/socket"
	"github.com/berth-ecs/berth/node/agent/tcs"
	"github.com/berth-ecs/berth/node/agent/usage"
	"github.com/berth-ecs/berth/node/runtime"
)

// Agent is a node's agent.
type Agent struct {
	cfg    Config
	log    *slog.Logger
	db     *db.DB
	engine *engine.Engine
	usage  *usage.Sampler
	api    *api.Client
	signer signer
	nodeID string

	zone       atomic.Pointer[string]
	instance   atomic.Pointer[string]
	registered chan struct{}
}

// New opens the node's database and rebuilds what runs. It ends when the runtime and the network answered.
func New(ctx context.Context, c Config) (*Agent, error) {
	c, err := c.check()
	if err != nil {
		return nil, err
	}
	a := &Agent{
		cfg: c, log: c.Log.With("component", "agent"), signer: signer{c.Credentials, c.Region, service},
		registered: make(chan struct{}),
	}
	a.usage = usage.New(counters{a})
	a.zone.Store(&c.Zone)
	a.api = &api.Client{Endpoint: c.Endpoint, Signer: a.signer, HTTP: c.HTTP, Agent: a.userAgent()}
	if a.db, err = db.Open(filepath.Join(c.DataDir, "agent.db")); err != nil {
		return nil, err
	}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.db.Close())
	}
	return a, nil
}

func (a *Agent) open(ctx context.Context) error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	known, err := a.db.Instance()
	if err != nil {
		return err
	}
	if known.ARN != "" && known.Cluster != a.cfg.Cluster {
		return fmt.Errorf("agent: cluster %q: the data directory %s belongs to a container instance of cluster %q",
			a.cfg.Cluster, a.cfg.DataDir, known.Cluster)
	}
	if a.nodeID, err = a.db.NodeID(func() string { return cmp.Or(a.cfg.NodeID, a.newID()) }); err != nil {
		return err
	}
	if a.cfg.NodeID != "" && a.nodeID != a.cfg.NodeID {
		return fmt.Errorf("agent: node %s: the data directory %s belongs to node %s", a.cfg.NodeID, a.cfg.DataDir, a.nodeID)
	}
	a.engine, err = engine.Open(ctx, engine.Config{
		Node: plan.Node{
			Region: a.cfg.Region, DataDir: a.cfg.DataDir, StopTimeout: a.cfg.StopTimeout, Sandboxes: a.cfg.Sandboxes, Resolver: a.cfg.Resolver,
		},
		Runtime: a.cfg.Runtime, Network: a.cfg.Network, Interfaces: a.interfaces(), Logs: a.cfg.Logs, Store: a.db,
		Pull: a.cfg.Pull, Registries: a.logins(), Retention: a.cfg.Retention, Boot: boot, Transient: runtime.Unavailable, Log: a.cfg.Log,
	})
	return err
}

// interfaces is nil, and no interface that holds nil, on a node that has none.
func (a *Agent) interfaces() engine.Interfaces {
	if a.cfg.Interfaces == nil {
		return nil
	}
	return a.cfg.Interfaces
}

func (a *Agent) newID() string { return rand.Text() }

func (a *Agent) userAgent() string {
	return fmt.Sprintf("Amazon ECS Agent - v%s (berth) (linux; LINUX) (+http://aws.amazon.com/ecs/)", a.cfg.Version)
}

// Run runs the node until ctx ends, or registration is refused for good. Containers run on either way.
func (a *Agent) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var parts sync.WaitGroup
	run := func(part func(context.Context) error) {
		parts.Go(func() {
			if err := part(ctx); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	run(a.engine.Run)
	run(a.serve)
	<-ctx.Done()
	parts.Wait()
	return context.Cause(ctx)
}

// serve registers and then talks to the servers.
func (a *Agent) serve(ctx context.Context) error {
	if a.cfg.Ready != nil {
		select {
		case <-a.cfg.Ready:
		case <-ctx.Done():
			return nil
		}
	}
	arn, err := a.register(ctx)
	if err != nil {
		return err
	}
	a.instance.Store(&arn)
	close(a.registered)
	a.log.Info("registered", "instance", arn, "cluster", a.cfg.Cluster)
	e := &endpoints{ask: func(ctx context.Context) (api.Endpoints, error) {
		return a.api.DiscoverPollEndpoint(ctx, a.cfg.Cluster, arn)
	}}
	var parts sync.WaitGroup
	errs := make(chan error, 3)
	for _, part := range []func(context.Context) error{a.reporter().Run, a.control(arn, e).Run, a.telemetry(arn, e).Run} {
		parts.Go(func() { errs <- part(ctx) })
	}
	parts.Wait()
	return <-errs
}

func (a *Agent) reporter() *report.Reporter {
	return &report.Reporter{Source: a.engine, Server: a.api, Cluster: a.cfg.Cluster, Log: a.cfg.Log.With("component", "report")}
}

func (a *Agent) control(arn string, e *endpoints) *acs.Client {
	return acs.New(acs.Config{
		Endpoint: e.acs, Dialer: a.web(), Tasks: a.engine, Numbers: a.db, Cluster: a.cfg.Cluster, Instance: arn,
		Version: a.cfg.Version, Hash: a.cfg.Hash, Log: a.cfg.Log,
	})
}

func (a *Agent) telemetry(arn string, e *endpoints) *tcs.Client {
	return tcs.New(tcs.Config{
		Endpoint: e.tcs, Dialer: a.web(), Framer: a.signer, Source: meter{a}, NewID: a.newID, Cluster: a.cfg.Cluster,
		Instance: arn, Version: a.cfg.Version, Hash: a.cfg.Hash, Log: a.cfg.Log,
	})
}

func (a *Agent) web() *socket.Web {
	return &socket.Web{Signer: a.signer, HTTP: a.cfg.HTTP, Agent: a.userAgent()}
}

// NodeID is the name of this machine to its servers.
func (a *Agent) NodeID() string { return a.nodeID }

// Dialer opens web sockets as the agent's own.
func (a *Agent) Dialer() socket.Dialer { return a.web() }

// Stream opens a connection of bytes to a server, as the agent's own, in a web socket.
func (a *Agent) Stream(ctx context.Context, url string) (net.Conn, error) {
	return a.web().Stream(ctx, url)
}

// Registered is closed when the node is registered.
func (a *Agent) Registered() <-chan struct{} { return a.registered }

// InstanceARN is the container instance's; "" before the node is registered.
func (a *Agent) InstanceARN() string {
	if arn := a.instance.Load(); arn != nil {
		return *arn
	}
	return ""
}

// Tasks are copies of all tasks the node knows.
func (a *Agent) Tasks() []engine.Task { return a.engine.Tasks() }

// StopAll stops every task and cleans up after it (berth down). Run must run meanwhile.
func (a *Agent) StopAll(ctx context.Context) error { return a.engine.StopAll(ctx) }

// Close lets go of the database. Call it after Run returned.
func (a *Agent) Close() error { return a.db.Close() }
