package engine

import (
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/agent/files"
	"github.com/berth-ecs/berth/node/agent/pending"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
)

// preparation is the making of what the containers of a task share; it happens once, and again after it failed.
type preparation struct {
	all    *pending.Work
	stored *pending.Work // where the task's files lie
}

// provisioned is everything a container needs before it can be made.
type provisioned struct {
	image    runtime.Image
	endpoint network.Endpoint
	output   hold.FIFOs
	pulled   time.Time
}

// provision does at once all that does not need each other: the image, the task's cgroup and shim, the endpoint, the output.
func (e *Engine) provision(t *Task, i int) func(context.Context) outcome {
	p := &t.Plan.Containers[i]
	prep := e.prepare(t)
	e.attach(t)
	shared, dir := e.interfaceOf(t), files.Dir(e.cfg.Node.DataDir, t.ID, i)
	return func(ctx context.Context) outcome {
		var got provisioned
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() (err error) {
			got.image, err = e.cfg.Runtime.Pull(ctx, p.Image, e.pull(t.ID, p))
			got.pulled = clock.Now()
			return err
		})
		g.Go(func() error { return prep.all.Wait(ctx) })
		g.Go(func() (err error) {
			if err = prep.stored.Wait(ctx); err == nil {
				got.endpoint, err = e.connect(ctx, dir, shared, p)
			}
			return err
		})
		g.Go(func() (err error) {
			if p.LogDriver == "none" {
				return nil
			}
			got.output, err = e.cfg.Logs.Open(ctx, p.ID, p.Name)
			return err
		})
		if err := g.Wait(); err != nil {
			return outcome{err: err}
		}
		return outcome{then: func(time.Time) { e.ready(t, i, got) }}
	}
}

// pull says how a container's image is pulled.
func (e *Engine) pull(taskID string, p *plan.Container) runtime.Pull {
	how := runtime.Pull{Behaviour: e.cfg.Pull, TaskID: taskID}
	if r := p.Registry; r != nil && e.cfg.Registries != nil {
		how.LoginAs = strings.Join([]string{r.ID, r.Region, r.Endpoint}, " ")
		how.Login = func(ctx context.Context, fresh bool) (runtime.Login, error) {
			return e.cfg.Registries.Login(ctx, *r, fresh)
		}
	}
	return how
}

// connect attaches a container to its network and writes the files that name it there.
func (e *Engine) connect(ctx context.Context, dir string, ep network.Endpoint, p *plan.Container) (network.Endpoint, error) {
	ports := make([]network.Port, len(p.Ports))
	for i, port := range p.Ports {
		ports[i] = network.Port(port)
	}
	var err error
	switch p.NetworkMode {
	case plan.AwsVpc: // the interface comes by itself
	case plan.Host:
		ep.Ports = network.HostBindings(ports)
	default:
		if ep, err = e.cfg.Network.Attach(ctx, p.ID, network.Mode(p.NetworkMode), ports); err != nil {
			return ep, named("ContainerNetworkingError", err)
		}
	}
	return ep, named("CannotCreateContainerError", files.Write(dir, p, ep.Address, nil))
}

// named gives an error without a name of the ECS agent's one; port conflicts keep theirs.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return &namedError{name, err}
}

type namedError struct {
	name string
	err  error
}

func (e *namedError) Error() string { return e.name + ": " + e.err.Error() }
func (e *namedError) Unwrap() error { return e.err }

// ready applies what provisioning found.
func (e *Engine) ready(t *Task, i int, got provisioned) {
	c, p := &t.Containers[i], &t.Plan.Containers[i]
	c.Phase, c.image, c.Digest, c.Endpoint = Ready, got.image, got.image.Digest, got.endpoint
	if t.Plan.LinkedTo(i) {
		c.Declares = Declares{Env: got.image.Env, Exposed: got.image.Exposed}
	}
	c.output = got.output
	switch {
	case p.StopSignal != "":
		c.StopSignal = p.StopSignal
	case got.image.StopSignal != "":
		c.StopSignal = got.image.StopSignal
	default:
		c.StopSignal = "SIGTERM"
	}
	if got.pulled.After(t.PullStopped) {
		t.PullStopped = got.pulled
	}
}

// prepare begins the making of what t's containers share, or joins it.
func (e *Engine) prepare(t *Task) *preparation {
	if t.preparing != nil {
		return t.preparing
	}
	prep := &preparation{all: pending.New(), stored: pending.New()}
	t.preparing = prep
	spec, volumes := runtime.Task{ID: t.ID, CPU: t.Plan.CPU, CPUUnits: t.Plan.CPUUnits(), MemoryMiB: t.Plan.MemoryMiB + t.Plan.BesideMiB, SwapMiB: t.Plan.SwapMiB(),
		SharePID: t.Plan.PidMode == runtime.ShareTask, ShareIPC: t.Plan.IpcMode == runtime.ShareTask, ShmBytes: t.Plan.ShmBytes()}, t.Plan.Volumes
	gib, patience := t.Plan.StorageGiB, timeouts[Create]
	if t.Plan.Sandbox || t.Plan.Interface != nil && e.cfg.Runtime.Sandboxed(t.ID) { // it waits for the interface
		spec.Sandbox, patience = e.sandboxOf(t), patience+attachPatience
	}
	e.spawn(patience, func(ctx context.Context) {
		var g errgroup.Group
		g.Go(func() error {
			if err := prep.store(ctx, e.cfg.Runtime, spec.ID, gib); err != nil {
				return err
			}
			return e.makeVolumes(volumes)
		})
		g.Go(func() error { return e.cfg.Runtime.Prepare(ctx, spec) })
		err := g.Wait()
		if err != nil {
			e.update(func() { t.preparing = nil })
		}
		prep.all.End(err)
	})
	return prep
}

// sandboxOf is the sandbox that t's containers share. It is made while the interface comes.
func (e *Engine) sandboxOf(t *Task) *runtime.Sandbox {
	a, i := e.attach(t), t.Plan.Interface
	return &runtime.Sandbox{Hostname: i.Hostname, Interface: func(ctx context.Context) (runtime.Interface, error) {
		if err := a.Wait(ctx); err != nil {
			return runtime.Interface{}, err
		}
		return e.cfg.Interfaces.HandOver(ctx, i.ID)
	}}
}

// store makes the task's file system, if it has one of its own.
func (p *preparation) store(ctx context.Context, r Tasks, task string, gib int64) (err error) {
	if gib > 0 {
		err = r.Store(ctx, task, gib)
	}
	p.stored.End(err)
	return err
}
