package ecs

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Statuses of a container instance.
const (
	InstanceActive   = "ACTIVE"
	InstanceDraining = "DRAINING"
	InstanceInactive = "INACTIVE" // deregistered; describable for a while
)

// Instance is a container instance as its agent registered it.
type Instance struct {
	Home
	Cluster string
	ID      string
	// Node names the ledger that its tasks are booked in. It is the instance's
	// own ID unless a berth node gave its node ID.
	Node          string
	EC2InstanceID string
	LaunchType    string // EC2 or EXTERNAL
	Resources     []shape.Resource
	Attributes    []shape.Attribute
	VersionInfo   *shape.VersionInfo
	RegisteredAt  time.Time
	Tags          []shape.Tag
}

// ARN names the container instance.
func (i *Instance) ARN() string { return i.InstanceARN(i.Cluster, i.ID) }

// MachineID is the EC2 instance that a node of a region is shown as. It is the same in every cluster, and as long as the node keeps its id.
func MachineID(region, node string) string {
	sum := sha256.Sum256([]byte(region + "/" + node))
	return "i-" + hex.EncodeToString(sum[:])[:17]
}

// Machine is a machine with container instances, for the wing that shows machines.
type Machine struct {
	Home
	ID                 string // EC2InstanceID of its container instances
	Zone, Type         string // "" for none
	Architecture       string
	Address            string // on the machines' network; "" for one that does not say
	CPU, MemoryMiB     int64
	Connected          bool // the agent of one of its container instances is
	JoinedAt           time.Time
	ContainerInstances int
}

// InstanceState is what changes of a container instance after registration.
type InstanceState struct {
	Home
	Cluster      string
	ID           string
	Status       string
	StatusReason string
	Connected    bool // an agent's control session is open
	// Session is the id of the open control session, so that the end of an old
	// one does not mark a new one as gone.
	Session     string
	AgentHash   string
	Agent       string // agentVersion of the control session
	Docker      string // dockerVersion of the control session
	Health      string // overall container instance health; "" when never told
	HealthAt    time.Time
	Version     int64
	ConnectedAt time.Time
	InactiveAt  time.Time
}

// Ledger is what a node has and what its tasks hold of it: one record per node,
// whoever's tasks it runs. Placement reads it, guards it and writes it in the
// transaction that makes the task, so that two schedulers never give the same
// room twice. What a task holds is released when it is STOPPED, in the
// transaction that says so.
type Ledger struct {
	Region string
	Node   string
	Total  Amounts // as registered
	Used   Amounts // by tasks that are not STOPPED
}

// Amounts are quantities of a node's resources.
type Amounts struct {
	CPU        int64 // CPU units, 1,024 a vCPU
	MemoryMiB  int64
	StorageGiB int64 // of the disk, for the ephemeral storage of tasks on FARGATE
	TCP        []int // host ports, sorted; of Total: those reserved by the node itself
	UDP        []int
	Tasks      int
}
