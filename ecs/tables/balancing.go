package tables

import (
	"iter"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/store"
)

// Balancing is what this wing needs of load balancing. Its methods do no other I/O than through the transaction, so that a task is a target from
// the moment it runs, and gets no new request from the moment somebody asks it to stop.
type Balancing interface {
	// TargetGroup answers the one that an ARN names; false when there is none, or it is another account's. It compares it (1 key), and looks at
	// whether a listener leads to it.
	TargetGroup(tx store.Tx, h ecs.Home, arn string) (target.Group, bool)
	// Register makes a task a target or, where the target is there (draining, a client's, another task's that is gone), makes it this task's and
	// registered. It compares at most 3 keys and writes at most 2, and nothing when it is so already. The error is for people: it says what
	// load balancing has against it.
	Register(tx store.Tx, t target.Target) error
	// Deregister begins the end of a registration: the target drains. One that is gone, drains or has another owner than t.Task is left alone; it is no error.
	// It compares at most 2 keys and writes at most 1.
	Deregister(tx store.Tx, t target.Target)
	// Targets yields the targets whose owner is a task (by ARN), those that drain among them, "" for those of all tasks. Nothing is compared. A target
	// that drains is yielded until nothing of it is in flight on any load balancer.
	Targets(tx store.Tx, task string) iter.Seq[target.Status]
	Shifting
	TargetWatch
}

// Shifting moves traffic.
type Shifting interface {
	// Shift makes the forward action of a rule (by ARN), or a listener's default one (by the listener's), give weights to groups, and leaves those of
	// the others. Groups that the action does not name are refused. It compares and writes the rule or listener (1 key).
	Shift(tx store.Tx, h ecs.Home, rule string, to []target.Weight) error
	// Weights are the groups that the forward action of a rule, or a listener's default one, leads to; false when there is no such rule. It compares
	// the rule or listener (1 key).
	Weights(tx store.Tx, h ecs.Home, rule string) ([]target.Weight, bool)
}

// TargetWatch is how it is seen that something has become of targets.
type TargetWatch interface {
	// Watched are the names of the tables by which it is seen that targets, their health or their groups changed.
	Watched() []string
	// Concerns answers of a change of those tables which tasks' targets (ARNs) it may have changed, and which target groups (ARNs) came, changed or went.
	Concerns(tx store.Tx, c store.Change) (tasks, groups []string)
}

// Withdrawn says whether load balancers have nothing in flight for a task (by ARN) any more and will not send it anything: it has no target. Until is
// when that is so at the latest; it is zero while a target is registered.
func Withdrawn(tx store.Tx, b Balancing, task string) (ok bool, until time.Time) {
	if b == nil {
		return true, until
	}
	registered := false
	ok = true
	for t := range b.Targets(tx, task) {
		if t.Draining() && !tx.Now().Before(t.Until) {
			continue
		}
		ok = false
		if registered = registered || !t.Draining(); t.Until.After(until) {
			until = t.Until
		}
	}
	if registered {
		until = time.Time{}
	}
	return ok, until
}
