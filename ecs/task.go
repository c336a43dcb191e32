package ecs

import (
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Values of a task's lastStatus, in the order of its life.
const (
	TaskProvisioning   = "PROVISIONING"
	TaskPending        = "PENDING"
	TaskActivating     = "ACTIVATING"
	TaskRunning        = "RUNNING"
	TaskDeactivating   = "DEACTIVATING"
	TaskStopping       = "STOPPING"
	TaskDeprovisioning = "DEPROVISIONING"
	TaskStopped        = "STOPPED"
)

// Task is what never changes of a task.
type Task struct {
	Home
	Cluster string
	ID      string // 32 hex digits

	Family   string
	Revision int32

	Service    string // name of the service it belongs to, or ""
	Deployment string // "ecs-svc/<digits>", or ""
	Group      string
	StartedBy  string
	LaunchType string
	// CapacityProvider is set when a strategy chose the capacity; LaunchType is
	// then not shown.
	CapacityProvider string

	Instance string // container instance ID; "" on FARGATE
	Host     Host   // on FARGATE, where Instance is ""
	Node     string // ledger that Holds is booked in
	Zone     string

	CPU        string // as DescribeTasks shows it
	Memory     string
	Overrides  shape.TaskOverride
	Attributes []shape.Attribute
	Network    *shape.NetworkConfiguration
	Interface  *Interface              // its own, in network mode awsvpc; nil in the others
	Registries []shape.ServiceRegistry // that it is found in while it runs
	Balancers  []shape.LoadBalancer    // that it is a target of while it runs
	Containers []TaskContainer
	Holds      Amounts // what it holds of Node

	EnableExecuteCommand bool
	PlatformVersion      string
	PlatformFamily       string
	ReferenceID          string
	CreatedAt            time.Time
}

// ARN names the task.
func (t *Task) ARN() string { return t.TaskARN(t.Cluster, t.ID) }

// TaskContainer is what never changes of a task's container.
type TaskContainer struct {
	Name              string
	ID                string // last part of its ARN
	Image             string
	CPU               string
	Memory            string
	MemoryReservation string
	Essential         bool
	HealthCheck       bool
}

// TaskDesired is what should become of a task.
type TaskDesired struct {
	Home
	Cluster  string
	ID       string
	Service  string
	Group    string
	Instance string
	Host     Host

	Status     string // RUNNING or STOPPED
	StopCode   string
	Reason     string // stoppedReason
	StoppingAt time.Time
	Version    int64
}

// TaskStatus is what a task's node says of it. It only moves forward: STOPPED
// never goes back.
type TaskStatus struct {
	Home
	Cluster  string
	ID       string
	Service  string
	Instance string
	Host     Host

	LastStatus string
	Attachment string            // of Task.Interface: PRECREATED or ATTACHED; "" without one
	Containers []ContainerStatus // in the order of Task.Containers
	Health     string            // HEALTHY, UNHEALTHY or UNKNOWN

	Connectivity       string
	ConnectivityAt     time.Time
	PullStartedAt      time.Time
	PullStoppedAt      time.Time
	StartedAt          time.Time
	ExecutionStoppedAt time.Time
	StoppedAt          time.Time

	// StopCode and Reason are derived from the node's report when nobody asked
	// the task to stop; TaskDesired's win when it did.
	StopCode   string
	Reason     string
	NodeReason string // the task's own reason in the node's report, if any
	Version    int64
}

// ContainerStatus is what a task's node says of one container.
type ContainerStatus struct {
	Name            string
	LastStatus      string // PENDING, RUNNING or STOPPED
	RuntimeID       string
	ImageDigest     string
	ExitCode        *int32
	Reason          string
	Health          string
	HealthSince     time.Time
	NetworkBindings []shape.NetworkBinding
}

// TaskTags are a task's tags.
type TaskTags struct {
	Home
	Cluster string
	ID      string
	Tags    []shape.Tag
}

// TaskView is all the records of one task, as one snapshot has them.
type TaskView struct {
	*Task
	Desired *TaskDesired
	Status  *TaskStatus
	Tags    []shape.Tag

	Protection *TaskProtection // nil when it was never protected
	// Leaving says that it is to stop and load balancers have something in flight for it.
	Leaving bool
}
