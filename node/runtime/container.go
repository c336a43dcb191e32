package runtime

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/berth-ecs/berth/node/runtime/spec"
)

// Task is what a task's containers share: the limits of their parent cgroup.
type Task struct {
	ID        string  // required: 32 hex digits
	CPU       float64 // vCPUs; 0 is no limit
	CPUUnits  uint64  // its weight beside other tasks; 0 is the kernel's
	MemoryMiB int64   // 0 is no limit
	SwapMiB   int64   // that its containers may use beside the memory

	SharePID, ShareIPC bool  // containers may have ShareTask
	ShmBytes           int64 // of the /dev/shm they share; at least 64 MiB

	Sandbox *Sandbox // nil: runc
}

// Mount is one mount of a container.
type Mount = spec.Mount

// Device is one device of a container.
type Device = spec.Device

// Ulimit is one resource limit of a container's processes.
type Ulimit = spec.Ulimit

// Container is everything the runtime needs to make one container.
type Container struct {
	ID     string // required, unique on the node: "<taskID>-<n>"
	TaskID string // required
	Name   string // required: the name in the task definition
	Labels map[string]string
	Image  Image // required: as Pull answered it

	// EntryPoint and Command replace the image's; nil keeps them. An EntryPoint
	// that is given drops the image's Cmd, as Docker does.
	EntryPoint, Command []string
	Env                 []string // KEY=VALUE, over the image's
	LinkEnv             []string // below the image's

	User, WorkingDirectory, Hostname string

	Netns string // path of a namespace mount; "" is the host's network
	// Netready waits until Netns is there: the rest is made meanwhile. Optional.
	Netready func(context.Context) error
	Mounts   []Mount

	CPUShares                       uint64
	MemoryMiB, MemoryReservationMiB int64
	Ulimits                         []Ulimit
	ReadonlyRootfs, Privileged      bool
	CapAdd, CapDrop                 []string
	Sysctls                         map[string]string

	Devices             []Device
	SwapMiB             int64   // beside the memory
	Swappiness          *uint64 // nil: the machine's
	ShmBytes            int64   // of /dev/shm; 0: 64 MiB
	Init                bool    // its first process is an init of ours
	Terminal, OpenStdin bool
	PID, IPC            string // "", ShareHost or ShareTask; of IPC also ShareNone

	Stdout, Stderr string // FIFOs something else drains; "" drops the stream
	StopSignal     string // "" is the image's, else SIGTERM
}

// Status is where a container stands.
type Status string

// The statuses of a container.
const (
	Created Status = "Created"
	Running Status = "Running"
	Stopped Status = "Stopped"
)

// State is what is true of one container now.
type State struct {
	ID, TaskID, Name string
	Labels           map[string]string
	Status           Status
	Pid              int
	ExitCode         int       // of a stopped one; -1 when nothing knows it
	ExitedAt         time.Time // of a stopped one
	OOMKilled        bool
}

// Event is the exit of a container, or a Gap.
type Event struct {
	ID        string
	ExitCode  int
	At        time.Time
	OOMKilled bool
	Gap       bool // events may have been missed: List again; the other fields are empty
}

var (
	taskIDRule      = regexp.MustCompile(`^[0-9a-f]{32}$`)
	containerIDRule = regexp.MustCompile(`^[0-9a-f]{32}-[0-9]{1,4}$`)
)

func checkTaskID(id string) error {
	if !taskIDRule.MatchString(id) {
		return fmt.Errorf("task id %q must be 32 hex digits", id)
	}
	return nil
}

func (c Container) check() error {
	if err := checkTaskID(c.TaskID); err != nil {
		return err
	}
	if !containerIDRule.MatchString(c.ID) || c.ID[:32] != c.TaskID {
		return fmt.Errorf("container id %q must be the task id %q, a dash and a number", c.ID, c.TaskID)
	}
	if c.Name == "" {
		return fmt.Errorf("container %s: Name is required", c.ID)
	}
	if c.Image.ChainID == "" {
		return fmt.Errorf("container %s: Image must be one that Pull answered", c.ID)
	}
	return nil
}
