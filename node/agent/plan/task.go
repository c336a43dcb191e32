package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/berth-ecs/berth/node/runtime/spec"
	"github.com/berth-ecs/berth/session"
)

// The network modes of a task.
const (
	Bridge = "bridge"
	Host   = "host"
	None   = "none"
	AwsVpc = "awsvpc"
)

// Node is what a plan depends on beside the payload.
type Node struct {
	Region      string        // required
	DataDir     string        // required; volumes live below it
	StopTimeout time.Duration // optional; of containers that have none; default 30 s
	Interfaces  bool          // tasks can have interfaces of their own
	Sandboxes   Sandboxes     // optional; NoSandboxes
	Resolver    netip.Addr    // optional; whom tasks without an interface ask for names; the machine's servers
}

// Task is a task as this node makes it.
type Task struct {
	ARN, ID    string
	ClusterARN string
	Family     string
	Version    string
	Service    string
	Group      string
	LaunchType string

	CPU         float64 // vCPU; 0 is no limit
	MemoryMiB   int64   // 0 is no limit
	BesideMiB   int64   // of memory, for the sandbox itself
	StorageGiB  int64   // of a file system of its own, mounted at Dir; 0 is no limit
	NetworkMode string
	Interface   *Interface // that its containers share; of network mode awsvpc only
	// Whose process and IPC namespaces the containers have: "" is each its own, host, task; of IPC also none.
	PidMode, IpcMode string
	Sandbox          bool // its containers run in one gVisor sandbox

	Containers []Container // in the payload's order
	Volumes    []Volume
}

// Registry is an account's ECR.
type Registry struct {
	ID, Region string
	Endpoint   string // of ECR's API; "" is the node's own
}

// Container is one container with every value decided.
type Container struct {
	ID, Name, ARN string
	Image         string
	Registry      *Registry // nil: it is pulled without signing in
	Essential     bool

	EntryPoint, Command              []string // nil: the image's
	env, defaults                    []string // see Environ
	User, WorkingDirectory, Hostname string
	Labels                           map[string]string // for people and metadata
	Mounts                           []spec.Mount

	CPUShares                       uint64
	CPU                             int64 // CPU units as asked for
	MemoryMiB, MemoryReservationMiB int64
	Ulimits                         []spec.Ulimit
	ReadonlyRootfs, Privileged      bool
	CapAdd, CapDrop                 []string
	Sysctls                         map[string]string
	StopSignal                      string // "" is the image's
	Devices                         []spec.Device
	SwapMiB                         int64   // beside the memory
	Swappiness                      *uint64 // nil: the machine's
	ShmBytes                        int64   // of /dev/shm; 0: Docker's 64 MiB
	Init                            bool
	Terminal, OpenStdin             bool

	NetworkMode string // the task's; none when the container asked for no network
	Ports       []Port
	Links       []Link
	ExtraHosts  []HostEntry
	DNS         Resolver

	LogDriver  string // json-file, awslogs or none
	LogOptions map[string]string

	DependsOn    []Dependency
	StartTimeout time.Duration // 0: none
	StopTimeout  time.Duration
	Health       *HealthCheck // nil: none
	Restart      *Restart     // nil: it is not started again
}

// Port is a port, or a range of them, to publish.
type Port struct {
	ContainerPort      int
	HostPort           int
	ContainerPortRange string
	HostPortRange      string
	Protocol           string
}

// Refusal says why a task cannot run on this node. Reason is the task's stopped reason, in the ECS agent's form.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return r.Reason }

// unrecognised is the ECS agent's own spelling.
func unrecognised(err error) *Refusal {
	return &Refusal{Reason: "UnrecogniedTaskError: Error loading task - " + err.Error()}
}

var taskID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// ID answers the id in a task's ARN: 32 hex digits.
func ID(arn string) (string, error) {
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	if !taskID.MatchString(id) {
		return "", fmt.Errorf("arn %q: must end in a task id of 32 hex digits", arn)
	}
	return id, nil
}

// New plans a task. An error is a *Refusal.
func New(in session.Task, n Node) (*Task, error) {
	id, err := ID(in.Arn)
	if err != nil {
		return nil, unrecognised(err)
	}
	t := &Task{
		ARN: in.Arn, ID: id, ClusterARN: in.TaskClusterArn, Family: in.Family, Version: in.Version,
		Service: in.ServiceName, Group: in.Group, LaunchType: in.LaunchType,
		CPU: in.CPU, MemoryMiB: in.Memory, StorageGiB: in.EphemeralStorage, NetworkMode: in.NetworkMode,
		PidMode: in.PidMode, IpcMode: in.IpcMode,
	}
	if t.NetworkMode == "" {
		t.NetworkMode = Bridge
	}
	if err := supported(in); err != nil {
		return nil, unrecognised(err)
	}
	if t.NetworkMode == AwsVpc {
		if t.Interface, err = planInterface(in, n); err != nil {
			return nil, unrecognised(err)
		}
	}
	volumes, err := planVolumes(t, in.Volumes, n.DataDir)
	if err != nil {
		return nil, unrecognised(err)
	}
	for i, c := range in.Containers {
		b := builder{task: t, in: c, all: in.Containers, node: n, volumes: volumes}
		out, err := b.container(i)
		if err != nil {
			return nil, unrecognised(fmt.Errorf("container %q: %w", c.Name, err))
		}
		t.Containers = append(t.Containers, out)
	}
	if err := t.resolve(in); err != nil {
		return nil, err
	}
	if t.Sandbox, err = t.wantsSandbox(n.Sandboxes); err != nil {
		return nil, unrecognised(err)
	}
	if t.Sandbox && t.MemoryMiB > 0 {
		t.BesideMiB = in.SandboxMemory
	}
	return t, nil
}

// supported checks what the task as a whole asks for.
func supported(in session.Task) error {
	switch {
	case len(in.Containers) == 0:
		return errors.New("containers: a task needs at least one")
	case in.NetworkMode != "" && in.NetworkMode != Bridge && in.NetworkMode != Host && in.NetworkMode != None && in.NetworkMode != AwsVpc:
		return fmt.Errorf("networkMode %q: must be awsvpc, bridge, host or none", in.NetworkMode)
	case in.PidMode != "" && in.PidMode != "host" && in.PidMode != "task":
		return fmt.Errorf("pidMode %q: must be host or task", in.PidMode)
	case in.IpcMode != "" && in.IpcMode != "host" && in.IpcMode != "task" && in.IpcMode != "none":
		return fmt.Errorf("ipcMode %q: must be host, task or none", in.IpcMode)
	case in.EnableFaultInjection:
		return errors.New("enableFaultInjection: this node cannot inject faults")
	case in.RoleCredentials != nil:
		return errors.New("roleCredentials: this node cannot serve task roles")
	case in.CPU < 0 || min(in.Memory, in.EphemeralStorage, in.SandboxMemory) < 0:
		return errors.New("cpu, memory, ephemeralStorage and sandboxMemory must not be negative")
	}
	if keys, err := overrideKeys(in.Overrides); err != nil || len(keys) > 0 {
		return fmt.Errorf("overrides %.100q: must be empty, the server merges them", in.Overrides)
	}
	return nil
}

// resolve checks what containers say of each other and fills what they take from each other.
func (t *Task) resolve(in session.Task) error {
	seen := map[string]bool{}
	for _, c := range t.Containers {
		if c.Name == "" || seen[c.Name] {
			return unrecognised(fmt.Errorf("container name %q: must be unique and not empty", c.Name))
		}
		seen[c.Name] = true
	}
	if err := t.checkDependencies(); err != nil {
		return err
	}
	t.volumesFrom(in.Containers)
	return nil
}

// Index finds a container by name; -1 when there is none.
func (t *Task) Index(name string) int {
	for i := range t.Containers {
		if t.Containers[i].Name == name {
			return i
		}
	}
	return -1
}

// Dir is the task's own directory below the node's data directory: files and volumes that die with it. A task with storage of a size of its
// own has that mounted here.
func Dir(dataDir, taskID string) string { return filepath.Join(dataDir, "tasks", taskID) }
