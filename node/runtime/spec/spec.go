// Package spec turns a container of a task definition into an OCI runtime
// specification. It is pure: the same Input gives the same Spec, and everything
// about the machine (capabilities, devices, cgroup version) is in the Input.
//
// Guarantees: without Privileged a container has a seccomp filter, no new
// privileges, masked and read-only kernel paths, no devices but the harmless
// ones, and no mount that propagates to or from the host.
package spec

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Input is everything a Spec depends on.
type Input struct {
	Args         []string // required
	Env          []string // image's, then the container's: later ones win
	Cwd          string
	User         User
	Hostname     string
	Netns        string // "" is the host's
	CgroupPath   string // required
	Unified      bool   // cgroup v2
	Mounts       []Mount
	Ulimits      []Ulimit
	Sysctls      map[string]string
	Capabilities []string // as Capabilities answered them
	Devices      []specs.LinuxDevice
	Allowed      []specs.LinuxDeviceCgroup // rules for them

	Pidns, Ipcns string // Private, Host, or the path of a namespace
	Init         string // of this machine: the program that is the container's first process; "" is none
	Terminal     bool

	CPUShares        uint64
	MemoryBytes      int64
	SwapBytes        int64   // beside memory
	Swappiness       *uint64 // cgroup v1 only; v2 has it for the whole machine
	ShmBytes         int64   // of /dev/shm; 0: Docker's 64 MiB
	ShmDir           string  // what is mounted there instead
	NoShm            bool
	ReservationBytes int64
	ReadonlyRootfs   bool
	Privileged       bool

	Native   specs.Arch // this machine's
	Compat32 bool       // the image has 32-bit programs: the filter covers them too, which costs 20 ms a start
}

// What Pidns and Ipcns may be beside a path.
const (
	Private = ""
	Host    = "host"
)

// User is who the first process runs as.
type User struct {
	UID, GID uint32
	Groups   []uint32
}

// defaultPath is Docker's.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Build makes the specification.
func Build(in Input) (*specs.Spec, error) {
	if len(in.Args) == 0 {
		return nil, errors.New("no command specified: the image has neither an entry point nor a command, and the container definition gives none")
	}
	rlimits, err := rlimits(in.Ulimits)
	if err != nil {
		return nil, err
	}
	mounts, err := mounts(in)
	if err != nil {
		return nil, err
	}
	s := &specs.Spec{
		Version:  specs.Version,
		Root:     &specs.Root{Path: "rootfs", Readonly: in.ReadonlyRootfs},
		Hostname: in.Hostname,
		Mounts:   mounts,
		Process:  process(in, rlimits),
		Linux: &specs.Linux{
			CgroupsPath:       in.CgroupPath,
			Namespaces:        namespaces(in),
			Resources:         resources(in),
			Sysctl:            maps.Clone(in.Sysctls),
			RootfsPropagation: "rprivate",
		},
	}
	s.Linux.Devices = in.Devices
	if in.Privileged {
		return s, nil
	}
	s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = maskedPaths(), readonlyPaths()
	return s, filter(s, in)
}

func process(in Input, limits []specs.POSIXRlimit) *specs.Process {
	cwd := in.Cwd
	if cwd == "" {
		cwd = "/"
	}
	groups := slices.Clone(in.User.Groups)
	caps := slices.Clone(in.Capabilities)
	return &specs.Process{
		Args:            in.args(),
		Env:             Env(in.Env, in.Hostname, in.Terminal),
		Terminal:        in.Terminal,
		Cwd:             cwd,
		User:            specs.User{UID: in.User.UID, GID: in.User.GID, AdditionalGids: groups},
		Capabilities:    &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps},
		NoNewPrivileges: !in.Privileged,
		Rlimits:         limits,
	}
}

// initPath is where Docker has it.
const initPath = "/sbin/docker-init"

func (in Input) args() []string {
	if in.Init == "" {
		return in.Args
	}
	return append([]string{initPath, "--"}, in.Args...)
}

// Env is Docker's environment: a PATH, the host name and the kind of terminal
// unless given, then vars, of which the last with a name wins at the first one's place.
func Env(vars []string, hostname string, terminal bool) []string {
	base := []string{defaultPath}
	if hostname != "" {
		base = append(base, "HOSTNAME="+hostname)
	}
	if terminal {
		base = append(base, "TERM=xterm")
	}
	at := map[string]int{}
	var out []string
	for _, v := range append(base, vars...) {
		name, _, _ := strings.Cut(v, "=")
		if i, ok := at[name]; ok {
			out[i] = v
			continue
		}
		at[name] = len(out)
		out = append(out, v)
	}
	return out
}

// Args is Docker's rule: an entry point that is given drops the image's command.
func Args(entryPoint, command, imageEntryPoint, imageCmd []string) []string {
	if entryPoint == nil {
		entryPoint = imageEntryPoint
		if command == nil {
			command = imageCmd
		}
	}
	return slices.Concat(entryPoint, command)
}

func namespaces(in Input) []specs.LinuxNamespace {
	var out []specs.LinuxNamespace
	for _, n := range []specs.LinuxNamespace{{Type: specs.PIDNamespace, Path: in.Pidns}, {Type: specs.IPCNamespace, Path: in.Ipcns}} {
		if n.Path != Host {
			out = append(out, n)
		}
	}
	out = append(out, specs.LinuxNamespace{Type: specs.UTSNamespace}, specs.LinuxNamespace{Type: specs.MountNamespace})
	if in.Netns != "" {
		out = append(out, specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: in.Netns})
	}
	if in.Unified {
		out = append(out, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	}
	return out
}

func resources(in Input) *specs.LinuxResources {
	r := &specs.LinuxResources{Devices: append([]specs.LinuxDeviceCgroup{{Allow: in.Privileged, Access: "rwm"}}, in.Allowed...)}
	if in.CPUShares > 0 {
		r.CPU = &specs.LinuxCPU{Shares: &in.CPUShares}
	}
	if in.MemoryBytes > 0 || in.ReservationBytes > 0 {
		r.Memory = &specs.LinuxMemory{}
	}
	if in.MemoryBytes > 0 {
		// Swap is memory plus swap in OCI's words: equal means none.
		both := in.MemoryBytes + in.SwapBytes
		r.Memory.Limit, r.Memory.Swap = &in.MemoryBytes, &both
	}
	if in.ReservationBytes > 0 {
		r.Memory.Reservation = &in.ReservationBytes
	}
	if r.Memory != nil && !in.Unified {
		r.Memory.Swappiness = in.Swappiness
	}
	return r
}

// filter adds the default seccomp profile. The 32-bit architectures are left
// out unless the image needs them: compiling their part costs 20 ms a start.
func filter(s *specs.Spec, in Input) error {
	profile, err := seccomp.GetDefaultProfile(s)
	if err != nil {
		return fmt.Errorf("seccomp profile: %w", err)
	}
	if !in.Compat32 && in.Native != "" {
		profile.Architectures = []specs.Arch{in.Native}
	}
	s.Linux.Seccomp = profile
	return nil
}

func maskedPaths() []string {
	return []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
		"/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
	}
}

func readonlyPaths() []string {
	return []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
}
