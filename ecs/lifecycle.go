package ecs

import "time"

// Sentences and codes that the control plane says of a stopped task; agents never
// send them.
const (
	ReasonUserStopped    = "Task stopped by user"
	ReasonEssentialExit  = "Essential container in task exited"
	ReasonFailedToStart  = "Task failed to start"
	ReasonHealthChecks   = "Task failed container health checks"
	ReasonDeregistration = "Container instance deregistration forced by user."
	ReasonSpot           = "Your Spot Task was interrupted."
	ReasonHostGone       = "The host of the task is gone." // on FARGATE
)

// rank orders the statuses of a task's life. A status that is not known ranks
// lowest, so that it never wins over one that is.
func rank(status string) int {
	switch status {
	case TaskProvisioning:
		return 1
	case TaskPending:
		return 2
	case TaskActivating:
		return 3
	case TaskRunning:
		return 4
	case TaskDeactivating:
		return 5
	case TaskStopping:
		return 6
	case TaskDeprovisioning:
		return 7
	case TaskStopped:
		return 8
	}
	return 0
}

// further answers the later of two statuses.
func further(a, b string) string {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// Stopped answers the desired state of a task that is asked to stop, and whether
// that is a change: the first who asks gives the code and the reason.
func (d *TaskDesired) Stopped(code, reason string, now time.Time) (*TaskDesired, bool) {
	if d.Status == TaskStopped {
		return d, false
	}
	next := *d
	next.Status, next.StopCode, next.Reason, next.StoppingAt = TaskStopped, code, reason, now
	next.Version++
	return &next, true
}

// Ended answers the desired state of a task that ends by itself: STOPPED, without
// a code, so that the status's own is shown.
func (d *TaskDesired) Ended(now time.Time) (*TaskDesired, bool) {
	return d.Stopped("", "", now)
}

// ShownDesired is the desiredStatus that is answered.
func (v TaskView) ShownDesired() string {
	if v.Status.LastStatus == TaskStopped {
		return TaskStopped
	}
	return v.Desired.Status
}

// ShownStatus is the lastStatus that is answered. The agent knows no status
// between RUNNING and STOPPED; while it stops a task that has its own network
// interface, AWS shows STOPPING until the containers have ended and
// DEPROVISIONING until the interface is gone. The modes that share the node's
// network show STOPPING until the end. Before its node is told, it is DEACTIVATING for as long as load balancers have something in flight for it.
func (v TaskView) ShownStatus() string {
	last := v.Status.LastStatus
	if v.Desired.Status != TaskStopped || rank(last) >= rank(TaskStopping) {
		return last
	}
	if v.Leaving {
		return TaskDeactivating
	}
	if v.Interface != nil && allStopped(v.Status.Containers) {
		return TaskDeprovisioning
	}
	return TaskStopping
}

func allStopped(cs []ContainerStatus) bool {
	for _, c := range cs {
		if c.LastStatus != TaskStopped {
			return false
		}
	}
	return len(cs) > 0
}

// Running says whether the task counts as running, Pending whether it counts as
// pending. A task that should stop counts as neither.
func (v TaskView) Running() bool {
	return v.Desired.Status == TaskRunning && v.Status.LastStatus == TaskRunning
}

// Pending: see Running.
func (v TaskView) Pending() bool {
	return v.Desired.Status == TaskRunning && rank(v.Status.LastStatus) < rank(TaskRunning)
}

// ShownVersion grows with each change of the task that makes an event.
func (v TaskView) ShownVersion() int64 { return max(1, v.Desired.Version+v.Status.Version) }
