package spec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func build(t *testing.T, in Input) *specs.Spec {
	t.Helper()
	in.Args, in.CgroupPath = []string{"/x"}, "/berth/t/t-1"
	s, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mountAt(s *specs.Spec, target string) *specs.Mount {
	for i := range s.Mounts {
		if s.Mounts[i].Destination == target {
			return &s.Mounts[i]
		}
	}
	return nil
}

func TestInitIsTheFirstProcess(t *testing.T) {
	t.Parallel()
	s := build(t, Input{Init: "/data/init"})
	if d := cmp.Diff([]string{"/sbin/docker-init", "--", "/x"}, s.Process.Args); d != "" {
		t.Error(d)
	}
	m := mountAt(s, "/sbin/docker-init")
	if m == nil || m.Source != "/data/init" || !slices.Contains(m.Options, "ro") {
		t.Errorf("mount %+v", m)
	}
	if s := build(t, Input{}); len(s.Process.Args) != 1 || mountAt(s, "/sbin/docker-init") != nil {
		t.Error("nobody asked for it")
	}
}

func TestSharedMemorySize(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{0: "size=65536k", 1 << 20: "size=1024k"} {
		if m := mountAt(build(t, Input{ShmBytes: bytes}), "/dev/shm"); !slices.Contains(m.Options, want) {
			t.Errorf("%d: %v", bytes, m.Options)
		}
	}
}

func TestSwap(t *testing.T) {
	t.Parallel()
	seven := uint64(7)
	in := Input{MemoryBytes: 100, SwapBytes: 20, Swappiness: &seven}
	if m := build(t, in).Linux.Resources.Memory; *m.Limit != 100 || *m.Swap != 120 || *m.Swappiness != 7 {
		t.Errorf("%+v", m)
	}
	in.Unified = true
	if m := build(t, in).Linux.Resources.Memory; m.Swappiness != nil || *m.Swap != 120 {
		t.Errorf("cgroup v2 has no swappiness of a group: %+v", m)
	}
	if m := build(t, Input{MemoryBytes: 100}).Linux.Resources.Memory; *m.Swap != 100 {
		t.Errorf("without a word on it there is no swap: %d", *m.Swap)
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	s := build(t, Input{Terminal: true, Env: []string{"TERM=mine"}})
	if !s.Process.Terminal || !slices.Contains(s.Process.Env, "TERM=mine") {
		t.Errorf("%+v", s.Process)
	}
	if s := build(t, Input{Terminal: true}); !slices.Contains(s.Process.Env, "TERM=xterm") {
		t.Error(s.Process.Env)
	}
}

func TestSharedNamespaces(t *testing.T) {
	t.Parallel()
	path := func(s *specs.Spec, kind specs.LinuxNamespaceType) string {
		for _, n := range s.Linux.Namespaces {
			if n.Type == kind {
				return n.Path + "!"
			}
		}
		return ""
	}
	s := build(t, Input{Pidns: "/proc/7/ns/pid", Ipcns: "/proc/7/ns/ipc"})
	if p, i := path(s, specs.PIDNamespace), path(s, specs.IPCNamespace); p != "/proc/7/ns/pid!" || i != "/proc/7/ns/ipc!" {
		t.Error(p, i)
	}
	s = build(t, Input{Pidns: Host, Ipcns: Host})
	if p, i := path(s, specs.PIDNamespace), path(s, specs.IPCNamespace); p != "" || i != "" {
		t.Error(p, i)
	}
}

func TestDevices(t *testing.T) {
	t.Parallel()
	nodes, rules, err := Find([]Device{{HostPath: "/dev/null", Path: "/dev/n", Access: "rw"}})
	if err != nil || len(nodes) != 1 || nodes[0].Path != "/dev/n" || nodes[0].Major != 1 || nodes[0].Minor != 3 || nodes[0].Type != "c" {
		t.Fatalf("%+v %v", nodes, err)
	}
	if r := rules[0]; !r.Allow || *r.Major != 1 || *r.Minor != 3 || r.Access != "rw" {
		t.Errorf("%+v", r)
	}
	s := build(t, Input{Devices: nodes, Allowed: rules})
	if d := s.Linux.Resources.Devices; len(d) != 2 || d[0].Allow || !d[1].Allow || len(s.Linux.Devices) != 1 {
		t.Errorf("%+v", d)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []Device{{"/dev/no-such", "/x", "r"}, {file, "/x", "r"}, {"/dev/null", "/x", "x"}, {"/dev/null", "/x", ""}} {
		if _, _, err := Find([]Device{bad}); err == nil || !strings.Contains(err.Error(), "device") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
