// Package balancers is the loop of load balancers: it gives each of them a node in each of its zones, and says what became of it.
//
// Guarantees:
//
//   - A load balancer has one node in each zone, unless there is no room for it, which its status says; a node takes the place of another only when it
//     serves, or when the other is gone. A zone where the region has no machine at all is left out while others have some, and gets its node with the first.
//   - A node is gone when it ended, or when its machine's agent has been away for Config.Lost while this loop looked. A machine that is cut off from the
//     servers serves on with what it has, so a node of it is given up only for another one that there is room for. When many machines are away at once,
//     it is rather the servers that were, and agents wait longer the longer they are: nodes are given up after Config.Return.
//   - A machine that drains gets empty of nodes for which there is room elsewhere, one after the other serves. One whose address was asked for stays: two
//     nodes cannot have it.
//   - Clients are led to a node by name only while it serves; one that is not needed any more ends Config.Linger after they no longer are.
//   - What is left of a load balancer that is gone goes, whatever was cut off.
//   - Each step is one transaction that decides anew on what it sees, so that it may be cut off anywhere, and so that a second leader does no harm.
package balancers

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// Wish is a wish for a node of a load balancer.
type Wish struct {
	LoadBalancer *elb.LoadBalancer // required
	Zone         elb.Zone          // required; of it
	Prefer       netip.Addr        // public address that it has if nobody else has; the zero Addr: any
}

// Task is a task that is a node of a load balancer, and has not STOPPED.
type Task struct {
	ARN        string
	Owner      string // ID of the load balancer
	Zone       string
	Subnet     string
	Machine    string
	Interface  string
	Private    netip.Addr
	Public     netip.Addr // the zero Addr for none
	Allocation string     // of Public; "" for none
	Groups     []string   // of the interface
	Running    bool
	Stopping   bool
	Connected  bool // its machine's agent is
	Draining   bool // its machine is to be empty
}

// Ways in which a task ends.
const (
	Stop    = false // its node is asked to
	Abandon = true  // its node is gone
)

// Tasks are the tasks of another wing that are nodes. What takes a transaction does no other I/O.
type Tasks interface {
	// Tables are the names of the tables by which it is seen that a task or its machine changed.
	Tables() []string
	// Touched are the load balancers (by ID) whose tasks or zones a change of those tables concerns. Nothing is compared.
	Touched(tx store.Tx, c store.Change) (h elb.Home, loadBalancers []string)
	// Of are the tasks of a load balancer (by ID), or of all of a home's. Nothing is compared.
	Of(tx store.Tx, h elb.Home, loadBalancer string) []Task
	// Launch makes a task, or says in AWS's words why there is no room for it. It compares and writes what a launch does.
	Launch(tx store.Tx, w Wish) (refusal string, err error)
	// End ends a task, with a reason.
	End(tx store.Tx, h elb.Home, task string, gone bool, reason string)
}

// Interfaces are the interfaces of those tasks.
type Interfaces interface {
	// SetGroups gives one other security groups.
	SetGroups(tx store.Tx, h elb.Home, id string, groups []string) error
}

// Machines are the machines that tasks run on.
type Machines interface {
	// Machines says in which zones there are some, connected or not. Nothing is compared.
	Machines(tx store.Tx, h elb.Home) map[string]bool
	// Away counts those whose agents are away, and all. Nothing is compared.
	Away(tx store.Tx, h elb.Home) (away, all int)
}

// Config describes the loop.
type Config struct {
	Tasks      Tasks         // required
	Interfaces Interfaces    // required
	Machines   Machines      // required
	Lost       time.Duration // optional; 30 s: how long a machine's agent may be away before its nodes are given up
	Return     time.Duration // optional; 150 s: the same where many machines are away at once, longer than the longest wait of an agent that connects anew
	Linger     time.Duration // optional; 60 s, the time to live of names: how long a node that is not needed any more serves those who know it
	Patience   time.Duration // optional; 30 s: how long after its creation a load balancer without room is provisioning, before it has failed
	Log        *slog.Logger  // optional
	Metrics    *loop.Metrics // optional
}

// Loop is the loop, ready to run.
type Loop struct{ Config }

// New checks the configuration.
func New(c Config) (*Loop, error) {
	if c.Tasks == nil || c.Interfaces == nil || c.Machines == nil {
		return nil, errors.New("elb: balancers: Tasks, Interfaces and Machines are required")
	}
	c.Return = cmp.Or(c.Return, 150*time.Second)
	c.Lost, c.Linger, c.Patience = cmp.Or(c.Lost, 30*time.Second), cmp.Or(c.Linger, time.Minute), cmp.Or(c.Patience, 30*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Loop{c}, nil
}

// Run runs the loop on a store that leads, until ctx ends (nil) or leadership does (the error).
func (l *Loop) Run(ctx context.Context, s store.Store) error {
	r := &runner{Loop: l, store: s, memory: map[string]*memory{}}
	c := r.config()
	c.Log, c.Metrics = l.Log, l.Metrics
	return loop.Run(ctx, c)
}

// runner is the loop while it leads.
type runner struct {
	*Loop
	store  store.Store
	mu     sync.Mutex
	memory map[string]*memory // by key
}

// memory is what a leader remembers of a load balancer. Another leader begins without: what takes time then takes it again.
type memory struct {
	away     map[string]absence    // of machines' agents
	unlisted map[string]time.Time  // since when nodes (by task) that are not needed are not named any more
	refused  map[string]string     // why there was no room, by zone
	public   map[string]netip.Addr // that nodes of zones had last
}

func (r *runner) of(key string) *memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.memory[key] == nil {
		r.memory[key] = &memory{away: map[string]absence{}, unlisted: map[string]time.Time{}, refused: map[string]string{}, public: map[string]netip.Addr{}}
	}
	return r.memory[key]
}

func (r *runner) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.memory, key)
}
