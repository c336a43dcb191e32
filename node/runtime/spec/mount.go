package spec

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Mount is one mount of a container: a bind of Source, or a tmpfs.
type Mount struct {
	Source, Target string
	ReadOnly       bool
	Tmpfs          bool
	Options        []string // further mount options (tmpfs: size=..., mode=...)
}

// baseMounts are Docker's.
func baseMounts(in Input) []specs.Mount {
	sys := []string{"nosuid", "noexec", "nodev", "ro"}
	cgroup := []string{"nosuid", "noexec", "nodev", "relatime", "ro"}
	if in.Privileged {
		sys, cgroup = sys[:3], cgroup[:4]
	}
	return []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: sys},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: cgroup},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", shmSize(in.ShmBytes)}},
	}
}

// shared are the mounts that go with somebody else's IPC namespace.
func shared(in Input) []specs.Mount {
	bind := func(source, target string) specs.Mount {
		return specs.Mount{Destination: target, Type: "bind", Source: source, Options: []string{"rbind", "rprivate", "nosuid", "noexec", "nodev"}}
	}
	switch {
	case slices.ContainsFunc(in.Mounts, func(m Mount) bool { return path.Clean(m.Target) == "/dev/shm" }):
		return nil // the task definition has its own
	case in.ShmDir != "":
		return []specs.Mount{bind(in.ShmDir, "/dev/shm")}
	case in.Ipcns == Host:
		return []specs.Mount{bind("/dev/shm", "/dev/shm")}
	}
	return nil
}

// DefaultShm is Docker's.
const DefaultShm = 64 << 20

func shmSize(bytes int64) string {
	if bytes == 0 {
		bytes = DefaultShm
	}
	return "size=" + strconv.FormatInt(bytes>>10, 10) + "k"
}

// mounts puts the container's after the base's; one with a base's target replaces it.
func mounts(in Input) ([]specs.Mount, error) {
	var own []specs.Mount
	for _, m := range in.Mounts {
		if !path.IsAbs(m.Target) || path.Clean(m.Target) == "/" {
			return nil, fmt.Errorf("mountPoints.containerPath: %q must be an absolute path below /", m.Target)
		}
		if !m.Tmpfs && !path.IsAbs(m.Source) {
			return nil, fmt.Errorf("volumes.host.sourcePath: %q must be an absolute path", m.Source)
		}
		own = append(own, m.oci())
	}
	// A parent must be mounted before what lies in it.
	slices.SortStableFunc(own, func(a, b specs.Mount) int {
		return strings.Count(a.Destination, "/") - strings.Count(b.Destination, "/")
	})
	own = append(own, shared(in)...)
	if in.Init != "" {
		own = append(own, Mount{Source: in.Init, Target: initPath, ReadOnly: true}.oci())
	}
	base := baseMounts(in)
	if in.NoShm {
		base = slices.DeleteFunc(base, func(m specs.Mount) bool { return m.Destination == "/dev/shm" })
	}
	out := slices.DeleteFunc(base, func(b specs.Mount) bool {
		return slices.ContainsFunc(own, func(m specs.Mount) bool { return m.Destination == b.Destination })
	})
	return append(out, own...), nil
}

func (m Mount) oci() specs.Mount {
	mode := "rw"
	if m.ReadOnly {
		mode = "ro"
	}
	target := path.Clean(m.Target)
	if m.Tmpfs {
		options := append([]string{"noexec", "nosuid", "nodev", mode}, m.Options...)
		return specs.Mount{Destination: target, Type: "tmpfs", Source: "tmpfs", Options: options}
	}
	options := append([]string{"rbind", "rprivate", mode}, m.Options...)
	return specs.Mount{Destination: target, Type: "bind", Source: path.Clean(m.Source), Options: options}
}
