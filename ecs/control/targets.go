package control

import (
	"iter"
	"maps"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// targets mends what load balancing holds of tasks: a target group came later, a client deregistered a target or took it, a port is known later,
// or what this program forgot.
type targets struct {
	store store.Store
	wings tables.Wings
}

func (t targets) config() loop.Config {
	return mender{
		store: t.store, tables: t.wings.Watched(), all: t.all, beyond: t.beyond,
		has:   func(task *ecs.Task) bool { return len(task.Balancers) > 0 },
		amiss: func(tx store.Tx, arn string) bool { return astray(tx, t.wings.Balancing, arn) },
		mend:  func(tx store.Tx, arn string) error { return align(tx, t.wings.Balancing, arn) },
	}.config("targets")
}

// all are the tasks that should be targets, and those that are.
func (t targets) all(tx store.Tx) iter.Seq[string] {
	keys := map[string]bool{}
	for _, task := range tables.BalancedTasks.List(tx, "", "") {
		keys[task.ARN()] = true
	}
	for held := range t.wings.Targets(tx, "") {
		keys[held.Task] = true
	}
	return maps.Keys(keys)
}

// beyond are the tasks that a change in load balancing is about.
func (t targets) beyond(tx store.Tx, c store.Change) []string {
	keys, groups := t.wings.Concerns(tx, c)
	for _, group := range groups {
		for _, task := range tables.TasksByTargetGroup.List(tx, group, "") {
			keys = append(keys, task.ARN())
		}
	}
	return keys
}

// ofTargets are the services whose tasks' targets, or their target groups, changed: what is healthy decides what they do next.
func (s services) ofTargets(tx store.Tx, c store.Change) []string {
	if s.wings.Balancing == nil {
		return nil
	}
	tasks, groups := s.wings.Concerns(tx, c)
	keys := map[string]bool{}
	for _, arn := range tasks {
		if v, ok := tables.TaskOf(tx, arn, tables.PeekTask); ok && v.Service != "" {
			keys[tables.MemberKey(v.Home, v.Cluster, v.Service)] = true
		}
	}
	for _, group := range groups {
		for _, t := range tables.TasksByTargetGroup.List(tx, group, "") {
			keys[tables.MemberKey(t.Home, t.Cluster, t.Service)] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// astray says whether a task (by ARN) is not the target that it should be and could be, or is one that it should not be.
func astray(tx store.Tx, b tables.Balancing, task string) bool {
	v, known := tables.TaskOf(tx, task, tables.PeekTask)
	wanted, failed := map[target.Target]bool{}, error(nil)
	if known {
		wanted, failed = tables.Aims(tx, b, v)
	}
	for s := range b.Targets(tx, task) {
		switch {
		case s.Draining():
		case wanted[s.Target]:
			delete(wanted, s.Target)
		case failed == nil:
			return true
		}
	}
	return len(wanted) > 0
}

// align makes a task (by ARN) the target that it should be, in this transaction. It answers why it could not.
// Compares the task's desired state and status, and does what Balance says; a task that is unknown is no target any more.
func align(tx store.Tx, b tables.Balancing, task string) error {
	if v, known := tables.TaskOf(tx, task, tables.GetTask); known && len(v.Balancers) > 0 {
		return tables.Balance(tx, tables.Wings{Balancing: b}, v)
	}
	for s := range b.Targets(tx, task) {
		b.Deregister(tx, s.Target)
	}
	return nil
}

// behind adds what load balancers see of a task to a plan's input.
func (s services) behind(tx store.Tx, v ecs.TaskView, t *rollout.Task, in *rollout.Input) {
	if s.wings.Balancing == nil || !v.Running() {
		return
	}
	wanted, failed := tables.Aims(tx, s.wings.Balancing, v)
	var is []target.Status
	for held := range s.wings.Targets(tx, v.ARN()) {
		if wanted[held.Target] && !held.Draining() {
			is = append(is, held)
		}
	}
	want := len(wanted)
	if failed != nil {
		want++
		if in.Unregistered == "" {
			in.Unregistered = failed.Error()
		}
	}
	t.Behind = rollout.BehindOf(want, is)
}
