package control

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// services keeps services as the API wants them. A key is a service's.
type services struct {
	store   store.Store
	wings   tables.Wings
	held    Registrations // nil: no service discovery
	options Options
}

// stopsAtOnce is how many tasks one transaction asks to stop at most, stopWrites how many keys all their stops write.
const (
	stopsAtOnce = 20
	stopWrites  = 60
)

func stopsOf(s *ecs.Service, status *ecs.ServiceStatus) int {
	return min(stopsAtOnce, stopWrites/stopCost(s, status))
}

// stopCost is how many keys a stop of the service's tasks writes at most: two, and the end of what makes the task found and a target in each group.
// What is said of the targets is said of all stops at once.
func stopCost(s *ecs.Service, status *ecs.ServiceStatus) int {
	cost := 2
	if found(s, status) {
		cost += tables.DropWrites
	}
	groups := len(s.Target.LoadBalancers)
	if status != nil {
		for _, d := range status.Deployments {
			groups = max(groups, len(d.LoadBalancers))
		}
	}
	return cost + groups
}

// found says whether service discovery knows tasks of the service.
func found(s *ecs.Service, status *ecs.ServiceStatus) bool {
	if status != nil {
		for _, d := range status.Deployments {
			if len(d.Registries) > 0 {
				return true
			}
		}
	}
	return len(s.Target.Registries) > 0
}

// soon is when a service is looked at again after a step: the next may depend on what the step wrote.
const soon = time.Millisecond

func (s services) config() loop.Config {
	return loop.Config{
		Name: "services", Store: s.store, Tables: s.tables(), Dirty: s.dirty, All: allServices,
		Reconcile: s.reconcile, Workers: s.options.Workers,
	}
}

func allServices(tx store.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range tables.Services.List(tx, "", "") {
			if !yield(key) {
				return
			}
		}
	}
}

// reconcile takes one step. The first look costs no transaction.
func (s services) reconcile(ctx context.Context, key string) (loop.Result, error) {
	var after time.Duration
	idle := false
	err := s.store.View(ctx, store.Any, func(tx store.Tx) error {
		v, ok := s.look(tx, key, tables.Services.Peek, tables.ServiceStatuses.Peek)
		if !ok {
			idle = true
			return nil
		}
		steps := rollout.Plan(v)
		idle, after = steps.Empty(), steps.After
		return nil
	})
	if err != nil || idle {
		return loop.Result{After: after}, err
	}
	wrote := false
	err = s.store.Update(ctx, func(tx store.Tx) error {
		after, wrote = 0, false
		v, ok := s.look(tx, key, tables.Services.Get, tables.ServiceStatuses.Get)
		if !ok {
			return nil
		}
		steps := rollout.Plan(v)
		after = steps.After
		var again time.Duration
		var err error
		if wrote, again, err = s.apply(tx, v, steps); again > 0 && (after == 0 || again < after) {
			after = again
		}
		return err
	})
	if wrote {
		after = soon
	}
	return loop.Result{After: after}, err
}

// look gathers what a plan depends on. It answers false for what this loop does not run.
func (s services) look(
	tx store.Tx, key string,
	service func(store.Tx, string) (*ecs.Service, bool),
	status func(store.Tx, string) (*ecs.ServiceStatus, bool),
) (rollout.Input, bool) {
	svc, ok := service(tx, key)
	st, known := status(tx, key)
	if !ok {
		return rollout.Input{}, false
	}
	if !known || st.Incarnation != svc.Incarnation {
		st = nil
	}
	in := rollout.Input{
		Service: svc, Status: st, Now: tx.Now(), Seed: seed(svc.Incarnation), HealthyAfter: s.options.HealthyAfter,
		MaxStops: stopsOf(svc, st),
	}
	if st != nil && !st.InactiveAt.IsZero() {
		return in, true
	}
	in.History = tables.Unfinished(tx, svc)
	if svc.Daemon() {
		in.Hosts = tables.DaemonHosts(tx, s.wings, svc, ecs.TargetOf(svc, st))
	}
	homes := map[string]bool{}
	for v := range tables.TasksOfService(tx, key, tables.Live) {
		instance := tables.HostKey(svc.Home, v.RunsOn())
		state, ok := tables.InstanceStates.Peek(tx, instance)
		t := rollout.TaskOf(v, ok && v.Instance != "" && state.Status == ecs.InstanceDraining)
		t.Last = t.Draining && svc.Daemon() && tables.OnlyDaemons(tx, instance)
		if t.Behind != nil {
			s.behind(tx, v, &t, &in)
		}
		in.Tasks = append(in.Tasks, t)
		if in.Unfound == "" {
			in.Unfound = tables.Unfound(tx, s.wings.Discovery, s.held, v)
		}
		if i, ok := tables.Instances.Peek(tx, instance); ok && !homes[t.Instance] {
			homes[t.Instance] = true
			in.Instances = append(in.Instances, tables.Candidate(tx, i))
		}
	}
	for v := range tables.TasksOfService(tx, key, tables.Stopped) {
		in.Tasks = append(in.Tasks, rollout.TaskOf(v, false))
	}
	return in, true
}

// seed makes a number of an identifier.
func seed(id string) uint64 {
	n := uint64(14695981039346656037)
	for _, b := range []byte(id) {
		n = (n ^ uint64(b)) * 1099511628211
	}
	return n
}

// refusedAs answers the error of a launch that a client would see; no retry helps before something changes.
func refusedAs(err error) (*aws.Error, bool) {
	var e *aws.Error
	ok := errors.As(err, &e)
	return e, ok
}
