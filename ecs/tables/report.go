package tables

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ReportTask folds a node's report into a task (by MemberKey) and says whether the
// task is known. When the task ends, or an essential container of it has, it
// should not run any more; when it is STOPPED, its node's ledger gets back what the
// task held and its interface ends, in this same transaction and never again.
// What service discovery and load balancing know of it follows. Guards desired, status, ledger, interface and registration; writes the same at
// most (11 keys), and what BalanceWrites says.
func ReportTask(tx store.Tx, w Wings, key string, r ecs.Report) bool {
	v, ok := GetTask(tx, key)
	if !ok {
		return false
	}
	next, changed := v.Fold(v.Status, r, tx.Now())
	if !changed {
		return true
	}
	was := v
	TaskStatuses.Put(tx, next)
	v.Status = next
	if next.LastStatus == ecs.TaskStopped || v.EssentialStopped(next) {
		if d, ends := v.Desired.Ended(tx.Now()); ends {
			TaskDesireds.Put(tx, d)
			v.Desired = d
		}
	}
	if next.LastStatus == ecs.TaskStopped && was.Status.LastStatus != ecs.TaskStopped {
		release(tx, w, v.Task)
	}
	follow(tx, w, was, v)
	return true
}

// follow makes the rest of the region know how a task has changed. That it cannot be made known is no reason to refuse what is so: the loops
// that follow registries and targets try again.
func follow(tx store.Tx, w Wings, was, now ecs.TaskView) {
	if was.Running() || now.Running() {
		_ = Announce(tx, w.Discovery, now)
		_ = Balance(tx, w, now)
	}
}

// ReportHealth folds telemetry into a task (by MemberKey) and says whether the task
// is known. Telemetry that says nothing new writes nothing.
// Guards desired and status, and writes the status and what service discovery knows of the task (5 keys), and
// its targets.
func ReportHealth(tx store.Tx, w Wings, key string, reports []ecs.HealthReport) bool {
	v, ok := GetTask(tx, key)
	if !ok {
		return false
	}
	if next, changed := v.FoldHealth(v.Status, reports, tx.Now()); changed {
		was := v
		TaskStatuses.Put(tx, next)
		v.Status = next
		follow(tx, w, was, v)
	}
	return true
}

// AbandonTask ends a task (by MemberKey) whose node will not report any more, and
// gives back what it held, as ReportTask. It does nothing to a task that is STOPPED or unknown.
// Guards and writes desired, status, ledger, interface and registration (11 keys), and what BalanceWrites says.
func AbandonTask(tx store.Tx, w Wings, key, code, reason string) {
	v, ok := GetTask(tx, key)
	if !ok {
		return
	}
	next, changed := v.Abandon(v.Status, code, reason, tx.Now())
	if !changed {
		return
	}
	was := v
	TaskStatuses.Put(tx, next)
	v.Status = next
	if d, stops := v.Desired.Stopped(code, reason, tx.Now()); stops {
		TaskDesireds.Put(tx, d)
		v.Desired = d
	}
	release(tx, w, v.Task)
	follow(tx, w, was, v)
}

// abandonWrites is how many keys the end of a task behind no load balancer writes at most, abandonsMost how many the ends in one transaction do.
const (
	abandonWrites = 11
	abandonsMost  = 99
)

// AbandonTasks ends some tasks of an INACTIVE container instance (by MemberKey), those on FARGATE that its agent ran among them, and
// says whether there may be more.
// Guards the state, and 10 keys a task and a ledger; writes the same at most.
func AbandonTasks(tx store.Tx, w Wings, instance string) (more bool) {
	if s, ok := InstanceStates.Get(tx, instance); !ok || s.Status != ecs.InstanceInactive {
		return false
	}
	var tasks []string
	writes := 0
	for task := range StatusByHost.List(tx, Is(instance, Live), "") {
		writes += abandonWrites
		if t, ok := Tasks.Peek(tx, task); ok {
			writes += BalanceWrites(len(t.Balancers))
		}
		if more = writes > abandonsMost; more {
			break
		}
		tasks = append(tasks, task)
	}
	for _, task := range tasks {
		reason := ecs.ReasonDeregistration
		if t, ok := Tasks.Peek(tx, task); ok && t.Instance == "" {
			reason = ecs.ReasonHostGone
		}
		AbandonTask(tx, w, task, shape.TaskStopCodeTerminationNotice, reason)
	}
	return more
}

// StopTask asks a task (by MemberKey) to stop; its tags go with it. The first who
// asks gives the code and the reason. It answers the task as it then is, and false
// when it is unknown.
// It is not found any more from then on, and no load balancer sends it anything new, before its node hears of it.
// Guards desired, status and registration; writes desired, tags and registration (6 keys), and what BalanceWrites says.
func StopTask(tx store.Tx, w Wings, key, code, reason string) (ecs.TaskView, bool) {
	v, ok := GetTask(tx, key)
	if !ok {
		return v, false
	}
	if v.Status.LastStatus == ecs.TaskStopped {
		return v, true
	}
	was := v
	d, stops := v.Desired.Stopped(code, reason, tx.Now())
	if stops {
		TaskDesireds.Put(tx, d)
		v.Desired = d
		follow(tx, w, was, v)
	}
	if _, tagged := TaskTags.Peek(tx, key); tagged {
		TaskTags.Delete(tx, key)
	}
	v.Tags = nil
	return v, true
}

// release gives back what a task holds and ends its interface; a node that is gone needs nothing back.
func release(tx store.Tx, w Wings, t *ecs.Task) {
	if t.Interface != nil {
		w.Release(tx, t.Home, t.Interface.ID)
	}
	l, ok := Ledgers.Get(tx, LedgerKey(t.Region, t.Node))
	if !ok {
		return
	}
	next := *l
	next.Used = place.Release(l.Used, t.Holds)
	Ledgers.Put(tx, &next)
}
