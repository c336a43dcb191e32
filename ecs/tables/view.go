package tables

import (
	"iter"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// PeekTask gathers the records of one task without guarding them. It answers false
// when the task is unknown.
func PeekTask(tx store.Tx, key string) (ecs.TaskView, bool) {
	return gather(tx, key, Tasks.Peek, TaskDesireds.Peek, TaskStatuses.Peek)
}

// GetTask gathers the records of one task and guards those that change: desired
// and status (2 keys).
func GetTask(tx store.Tx, key string) (ecs.TaskView, bool) {
	return gather(tx, key, Tasks.Peek, TaskDesireds.Get, TaskStatuses.Get)
}

func gather(
	tx store.Tx, key string,
	core func(store.Tx, string) (*ecs.Task, bool),
	desired func(store.Tx, string) (*ecs.TaskDesired, bool),
	status func(store.Tx, string) (*ecs.TaskStatus, bool),
) (ecs.TaskView, bool) {
	var v ecs.TaskView
	var ok1, ok2, ok3 bool
	v.Task, ok1 = core(tx, key)
	v.Desired, ok2 = desired(tx, key)
	v.Status, ok3 = status(tx, key)
	if tags, ok := TaskTags.Peek(tx, key); ok {
		v.Tags = tags.Tags
	}
	v.Protection, _ = TaskProtections.Peek(tx, key)
	return v, ok1 && ok2 && ok3
}

// TasksOfService yields the tasks of a service (by MemberKey) that are LIVE or
// STOPPED, in key order.
func TasksOfService(tx store.Tx, serviceKey, liveness string) iter.Seq[ecs.TaskView] {
	return views(tx, StatusByService.List(tx, Is(serviceKey, liveness), ""))
}

// TasksOfInstance yields the tasks of a container instance (by MemberKey) that
// are LIVE or STOPPED, in key order.
func TasksOfInstance(tx store.Tx, instanceKey, liveness string) iter.Seq[ecs.TaskView] {
	return views(tx, StatusByInstance.List(tx, Is(instanceKey, liveness), ""))
}

// TasksOfHost yields the tasks that the agent of a container instance (by MemberKey) runs, those on FARGATE among them, that are LIVE or
// STOPPED, in key order.
func TasksOfHost(tx store.Tx, instanceKey, liveness string) iter.Seq[ecs.TaskView] {
	return views(tx, StatusByHost.List(tx, Is(instanceKey, liveness), ""))
}

// CountProtected is how many tasks of a service (by MemberKey) that should run are protected now, but for one (by MemberKey).
func CountProtected(tx store.Tx, serviceKey, but string) (n int) {
	for key := range DesiredByService.List(tx, Is(serviceKey, ecs.TaskRunning), "") {
		if p, ok := TaskProtections.Peek(tx, key); ok && key != but && p.Protects(tx.Now()) {
			n++
		}
	}
	return n
}

func views(tx store.Tx, statuses iter.Seq2[string, *ecs.TaskStatus]) iter.Seq[ecs.TaskView] {
	return func(yield func(ecs.TaskView) bool) {
		for key := range statuses {
			if v, ok := PeekTask(tx, key); ok && !yield(v) {
				return
			}
		}
	}
}
