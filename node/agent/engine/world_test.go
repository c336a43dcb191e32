package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/node/runtime"
)

// world is a machine: what is on it outlives the processes that use it.
type world struct {
	mu         sync.Mutex
	prepared   map[string]bool
	stored     map[string]int64 // GiB, by task
	storing    func() error     // before a task's file system is there; optional
	boxed      map[string]bool  // tasks whose sandbox was begun
	containers map[string]*fake
	endpoints  map[string]network.Endpoint
	open       map[string]bool // output
	records    map[string][]byte
	starts     map[string]int
	renewed    map[string]int
	kills      []string // "SIGNAL name", in order
	behaviour  map[string]behaviour
	watchers   []chan runtime.Event
	ports      int
	preparing  time.Duration                   // that making what a task's containers share takes
	interfaces func(ctx context.Context) error // when and how the interfaces of tasks come; nil: at once
	handed     []string                        // interfaces that became a sandbox's
	sandboxes  plan.Sandboxes
}

// behaviour is what a container does, by name.
type behaviour struct {
	pull, create, start, attach, renew error
	pulling                            time.Duration // that a pull takes
	starting                           time.Duration // that the answer of a start takes
	runs                               time.Duration // then it exits; 0: for ever
	exit                               int
	stubborn                           bool          // ignores its stop signal
	signalling                         time.Duration // before a stop signal gets there
	stopping                           time.Duration
	deleting                           time.Duration // that its removal takes
	oom                                bool
	mute                               bool // its exit is told to nobody
	health                             func(n int) (int, error)
	probes                             int
}

// fake is one container.
type fake struct {
	spec  runtime.Container
	state runtime.State
}

func newWorld() *world {
	return &world{
		prepared: map[string]bool{}, stored: map[string]int64{}, boxed: map[string]bool{}, containers: map[string]*fake{}, endpoints: map[string]network.Endpoint{},
		open: map[string]bool{}, records: map[string][]byte{}, starts: map[string]int{}, renewed: map[string]int{}, behaviour: map[string]behaviour{},
	}
}

// String lists what is on the machine.
func (w *world) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(w.containers)) {
		fmt.Fprintf(&b, "container %s %s\n", w.containers[id].spec.Name, w.containers[id].state.Status)
	}
	for _, id := range slices.Sorted(maps.Keys(w.prepared)) {
		fmt.Fprintf(&b, "task %s\n", id)
	}
	for _, id := range slices.Sorted(maps.Keys(w.stored)) {
		fmt.Fprintf(&b, "storage %s %d GiB\n", id, w.stored[id])
	}
	for _, id := range slices.Sorted(maps.Keys(w.endpoints)) {
		fmt.Fprintf(&b, "endpoint %s\n", id)
	}
	for _, id := range slices.Sorted(maps.Keys(w.open)) {
		fmt.Fprintf(&b, "output %s\n", id)
	}
	return b.String()
}

func (w *world) started(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.starts[id]
}

// end ends a container.
func (w *world) end(id string, code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.containers[id]
	if c == nil || c.state.Status != runtime.Running {
		return
	}
	b := w.behaviour[c.spec.Name]
	c.state.Status, c.state.ExitCode, c.state.ExitedAt, c.state.OOMKilled = runtime.Stopped, code, time.Now(), b.oom
	if b.mute {
		return
	}
	for _, ch := range w.watchers {
		select {
		case ch <- runtime.Event{ID: id, ExitCode: code, At: time.Now(), OOMKilled: b.oom}:
		default:
		}
	}
}

// process is a world as one process uses it. When it is killed its calls do nothing any more.
type process struct {
	*world
	die func() (now bool) // asked at every call that changes something, before and after it
}

var (
	errDead = errors.New("the process is dead")
	errAway = errors.New("containerd is away")
)

// change runs f unless the process is dead by then; it may die right after it.
func (p *process) change(ctx context.Context, f func() error) error {
	if p.die != nil && p.die() {
		return errDead
	}
	p.mu.Lock()
	err := f()
	p.mu.Unlock()
	if p.die != nil && p.die() {
		return errDead
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

func name(id string) string { return id[strings.LastIndexByte(id, '-')+1:] }

func (p *process) Pull(ctx context.Context, ref string, _ runtime.Pull) (runtime.Image, error) {
	b := p.of(ref)
	select {
	case <-ctx.Done():
		return runtime.Image{}, ctx.Err()
	case <-time.After(b.pulling):
	}
	return runtime.Image{Ref: ref, Digest: "sha256:" + ref, ChainID: "x", StopSignal: "SIGINT"}, b.pull
}

func (p *process) of(name string) behaviour {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.behaviour[name]
}

func (p *process) Store(ctx context.Context, task string, gib int64) error {
	if p.storing != nil {
		if err := p.storing(); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	return p.change(ctx, func() error { p.stored[task] = gib; return nil })
}

func (p *process) Prepare(ctx context.Context, t runtime.Task) error {
	<-time.After(p.preparing)
	if t.Sandbox != nil {
		p.mu.Lock()
		p.boxed[t.ID] = true
		p.mu.Unlock()
		if _, err := t.Sandbox.Interface(ctx); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	return p.change(ctx, func() error { p.prepared[t.ID] = true; return nil })
}

func (p *process) Sandboxed(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.boxed[id]
}

func (p *process) Create(ctx context.Context, c runtime.Container) error {
	if c.Netready != nil {
		if err := c.Netready(ctx); err != nil {
			return fmt.Errorf("create: %w", err)
		}
	}
	return p.change(ctx, func() error {
		if err := p.behaviour[c.Name].create; err != nil {
			return err
		}
		if p.containers[c.ID] == nil {
			p.containers[c.ID] = &fake{c, runtime.State{ID: c.ID, TaskID: c.TaskID, Name: c.Name, Status: runtime.Created}}
		}
		return nil
	})
}

func (p *process) Start(ctx context.Context, id string) (int, time.Time, error) {
	var answer time.Duration
	err := p.change(ctx, func() error {
		c := p.containers[id]
		if c == nil {
			return fmt.Errorf("start of %s: %w", id, runtime.ErrNotFound)
		}
		b := p.behaviour[c.spec.Name]
		if b.start != nil {
			return b.start
		}
		if c.state.Status != runtime.Created {
			return nil
		}
		p.starts[id]++
		answer = b.starting
		c.state.Status = runtime.Running
		if b.runs > 0 {
			time.AfterFunc(b.runs, func() { p.end(id, b.exit) })
		}
		return nil
	})
	select {
	case <-ctx.Done():
	case <-time.After(answer):
	}
	return 1, time.Now(), err
}

// gap tells that exits may have been missed.
func (w *world) gap() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ch := range w.watchers {
		ch <- runtime.Event{Gap: true}
	}
}

func (p *process) Kill(ctx context.Context, id, sig string) error {
	var after, late time.Duration
	p.mu.Lock()
	if c := p.containers[id]; c != nil && sig != "SIGKILL" {
		late = p.behaviour[c.spec.Name].signalling
	}
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(late):
	}
	ends := false
	err := p.change(ctx, func() error {
		c := p.containers[id]
		if c == nil || c.state.Status != runtime.Running {
			return nil
		}
		b := p.behaviour[c.spec.Name]
		p.kills = append(p.kills, sig+" "+c.spec.Name)
		ends, after = sig == "SIGKILL" || !b.stubborn, b.stopping
		return nil
	})
	if ends {
		code := 0
		if sig == "SIGKILL" {
			code, after = 137, 0
		}
		time.AfterFunc(after, func() { p.end(id, code) })
	}
	return err
}

func (p *process) Exec(ctx context.Context, id string, _ []string, _ time.Duration) (int, []byte, error) {
	p.mu.Lock()
	c := p.containers[id]
	if c == nil {
		p.mu.Unlock()
		return 0, nil, runtime.ErrNotFound
	}
	b := p.behaviour[c.spec.Name]
	b.probes++
	p.behaviour[c.spec.Name] = b
	p.mu.Unlock()
	if b.health == nil {
		return 0, nil, nil
	}
	code, err := b.health(b.probes)
	return code, []byte("out"), cmp.Or(err, ctx.Err())
}

func (p *process) Renew(ctx context.Context, id string) error {
	return p.change(ctx, func() error {
		c := p.containers[id]
		if c == nil {
			return fmt.Errorf("renewal of %s: %w", id, runtime.ErrNotFound)
		}
		if err := p.behaviour[c.spec.Name].renew; err != nil {
			return err
		}
		if c.state.Status == runtime.Stopped {
			p.renewed[id]++
			c.state = runtime.State{ID: id, TaskID: c.spec.TaskID, Name: c.spec.Name, Status: runtime.Created}
		}
		return nil
	})
}

func (p *process) Delete(ctx context.Context, id string) error {
	var takes time.Duration
	err := p.change(ctx, func() error {
		if c := p.containers[id]; c != nil {
			takes = p.behaviour[c.spec.Name].deleting
		}
		delete(p.containers, id)
		return nil
	})
	if takes > 0 {
		<-time.After(takes)
	}
	return err
}

func (p *process) Release(ctx context.Context, task string) error {
	return p.change(ctx, func() error {
		delete(p.prepared, task)
		delete(p.stored, task)
		maps.DeleteFunc(p.containers, func(id string, _ *fake) bool { return strings.HasPrefix(id, task) })
		return nil
	})
}

func (p *process) List(context.Context) ([]runtime.State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []runtime.State
	for _, id := range slices.Sorted(maps.Keys(p.containers)) {
		out = append(out, p.containers[id].state)
	}
	return out, nil
}

func (p *process) Events(context.Context) <-chan runtime.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	ch := make(chan runtime.Event, 100)
	ch <- runtime.Event{Gap: true}
	p.watchers = append(p.watchers, ch)
	return ch
}

// machine is a process's runtime, machineNet its network: both have a Sweep.
type machine struct{ *process }

func (m machine) Sweep(ctx context.Context, keep func(string) bool) error {
	for task := range maps.Clone(m.prepared) {
		if !keep(task) {
			if err := m.Release(ctx, task); err != nil {
				return err
			}
		}
	}
	return nil
}

type machineNet struct{ *process }

func (m machineNet) Attach(ctx context.Context, id string, mode network.Mode, ports []network.Port) (network.Endpoint, error) {
	var ep network.Endpoint
	err := m.change(ctx, func() error {
		if err := m.behaviour["attach "+name(id)].attach; err != nil {
			return err
		}
		ep = network.Endpoint{ID: id, Mode: mode, Netns: "/netns/" + id, Address: netip.MustParseAddr("172.28.0.2")}
		for _, p := range ports {
			host := p.HostPort
			if host == 0 {
				m.ports++
				host = 49152 + m.ports
			}
			ep.Ports = append(ep.Ports, network.Binding{BindIP: "0.0.0.0", ContainerPort: p.ContainerPort, HostPort: host, Protocol: "tcp"})
		}
		if had, ok := m.endpoints[id]; ok {
			ep = had
		}
		m.endpoints[id] = ep
		return nil
	})
	return ep, err
}

func (m machineNet) Detach(ctx context.Context, id string) error {
	return m.change(ctx, func() error { delete(m.endpoints, id); return nil })
}

func (m machineNet) Endpoints(context.Context) ([]network.Endpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.endpoints)), nil
}

func (m machineNet) Sweep(_ context.Context, keep func(string) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.endpoints, func(id string, _ network.Endpoint) bool { return !keep(id) })
	return nil
}

type machineInterfaces struct{ *process }

func (m machineInterfaces) Netns(id string) string { return "/interfaces/" + id }

func (m machineInterfaces) Wait(ctx context.Context, _ string) error {
	m.mu.Lock()
	comes := m.interfaces
	m.mu.Unlock()
	if comes == nil {
		return nil
	}
	return comes(ctx)
}

func (m machineInterfaces) HandOver(ctx context.Context, id string) (runtime.Interface, error) {
	m.mu.Lock()
	m.handed = append(m.handed, id)
	m.mu.Unlock()
	return runtime.Interface{Name: id}, m.Wait(ctx, id)
}

type machineLogs struct{ *process }

func (m machineLogs) Open(ctx context.Context, id, _ string) (hold.FIFOs, error) {
	err := m.change(ctx, func() error { m.open[id] = true; return nil })
	return hold.FIFOs{Stdout: "/o", Stderr: "/e"}, err
}

func (m machineLogs) Close(ctx context.Context, id string) error {
	return m.change(ctx, func() error { delete(m.open, id); return nil })
}

func (m machineLogs) Remove(context.Context, string) error { return nil }

type machineDisk struct{ *process }

func (m machineDisk) Save(records map[string][]byte) error {
	return m.change(context.Background(), func() error { maps.Copy(m.records, records); return nil })
}

func (m machineDisk) Load() (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.records), nil
}

func (m machineDisk) Delete(arn string) error {
	return m.change(context.Background(), func() error { delete(m.records, arn); return nil })
}
