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
// Guards desired, status, ledger and interface; writes the same at most (7 keys).
func ReportTask(tx store.Tx, n Network, key string, r ecs.Report) bool {
	v, ok := GetTask(tx, key)
	if !ok {
		return false
	}
	next, changed := v.Fold(v.Status, r, tx.Now())
	if !changed {
		return true
	}
	TaskStatuses.Put(tx, next)
	if next.LastStatus == ecs.TaskStopped || v.EssentialStopped(next) {
		if d, ends := v.Desired.Ended(tx.Now()); ends {
			TaskDesireds.Put(tx, d)
		}
	}
	if next.LastStatus == ecs.TaskStopped && v.Status.LastStatus != ecs.TaskStopped {
		release(tx, n, v.Task)
	}
	return true
}

// ReportHealth folds telemetry into a task (by MemberKey) and says whether the task
// is known. Telemetry that says nothing new writes nothing.
// Guards and writes the status (1 key).
func ReportHealth(tx store.Tx, key string, reports []ecs.HealthReport) bool {
	t, ok := Tasks.Peek(tx, key)
	if !ok {
		return false
	}
	s, ok := TaskStatuses.Get(tx, key)
	if !ok {
		return false
	}
	if next, changed := t.FoldHealth(s, reports, tx.Now()); changed {
		TaskStatuses.Put(tx, next)
	}
	return true
}

// AbandonTask ends a task (by MemberKey) whose node will not report any more, and
// gives back what it held, as ReportTask. It does nothing to a task that is STOPPED or unknown.
// Guards and writes desired, status, ledger and interface (7 keys).
func AbandonTask(tx store.Tx, n Network, key, code, reason string) {
	v, ok := GetTask(tx, key)
	if !ok {
		return
	}
	next, changed := v.Abandon(v.Status, code, reason, tx.Now())
	if !changed {
		return
	}
	TaskStatuses.Put(tx, next)
	if d, stops := v.Desired.Stopped(code, reason, tx.Now()); stops {
		TaskDesireds.Put(tx, d)
	}
	release(tx, n, v.Task)
}

// abandonsAtOnce is how many tasks one transaction ends.
const abandonsAtOnce = 15

// AbandonTasks ends some tasks of an INACTIVE container instance (by MemberKey), those on FARGATE that its agent ran among them, and
// says whether there may be more.
// Guards the state, and 6 keys a task and a ledger; writes the same at most.
func AbandonTasks(tx store.Tx, n Network, instance string) (more bool) {
	if s, ok := InstanceStates.Get(tx, instance); !ok || s.Status != ecs.InstanceInactive {
		return false
	}
	var tasks []string
	for task := range StatusByHost.List(tx, Is(instance, Live), "") {
		if more = len(tasks) == abandonsAtOnce; more {
			break
		}
		tasks = append(tasks, task)
	}
	for _, task := range tasks {
		reason := ecs.ReasonDeregistration
		if t, ok := Tasks.Peek(tx, task); ok && t.Instance == "" {
			reason = ecs.ReasonHostGone
		}
		AbandonTask(tx, n, task, shape.TaskStopCodeTerminationNotice, reason)
	}
	return more
}

// StopTask asks a task (by MemberKey) to stop; its tags go with it. The first who
// asks gives the code and the reason. It answers the task as it then is, and false
// when it is unknown.
// Guards desired and status; writes desired and tags (2 keys).
func StopTask(tx store.Tx, key, code, reason string) (ecs.TaskView, bool) {
	v, ok := GetTask(tx, key)
	if !ok {
		return v, false
	}
	if v.Status.LastStatus == ecs.TaskStopped {
		return v, true
	}
	d, stops := v.Desired.Stopped(code, reason, tx.Now())
	if stops {
		TaskDesireds.Put(tx, d)
		v.Desired = d
	}
	if _, tagged := TaskTags.Peek(tx, key); tagged {
		TaskTags.Delete(tx, key)
	}
	v.Tags = nil
	return v, true
}

// release gives back what a task holds and ends its interface; a node that is gone needs nothing back.
func release(tx store.Tx, n Network, t *ecs.Task) {
	if t.Interface != nil {
		n.Release(tx, t.Home, t.Interface.ID)
	}
	l, ok := Ledgers.Get(tx, LedgerKey(t.Region, t.Node))
	if !ok {
		return
	}
	next := *l
	next.Used = place.Release(l.Used, t.Holds)
	Ledgers.Put(tx, &next)
}
