package spec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// golden compares with testdata; UPDATE=1 writes it. The seccomp rules are
// summed up: their text is another project's.
func golden(t *testing.T, name string, s *specs.Spec) {
	t.Helper()
	if p := s.Linux.Seccomp; p != nil {
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: p.DefaultAction, Architectures: p.Architectures, Flags: p.Flags}
		if len(p.Syscalls) < 10 {
			t.Errorf("the filter has %d rules", len(p.Syscalls))
		}
	}
	got, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)+"\n"); d != "" {
		t.Error(d)
	}
}

const everyCap = uint64(1)<<41 - 1

func TestBuildGolden(t *testing.T) {
	t.Parallel()
	caps, err := Capabilities(nil, nil, false, everyCap)
	if err != nil {
		t.Fatal(err)
	}
	plain := Input{
		Args: []string{"/bin/httpd", "-f"}, Env: []string{"A=1", "B=2", "A=3"}, Cwd: "/srv", User: User{UID: 1000, GID: 1000, Groups: []uint32{2000}},
		Hostname: "web", Netns: "/run/berth/netns/x", CgroupPath: "/berth/t/t-1", Capabilities: caps, Native: specs.ArchX86_64,
		Mounts:    []Mount{{Source: "/data/a/b", Target: "/srv/a/b"}, {Source: "/data", Target: "/srv", ReadOnly: true}, {Target: "/tmp", Tmpfs: true, Options: []string{"size=64m"}}},
		CPUShares: 512, MemoryBytes: 256 << 20, ReservationBytes: 128 << 20,
		Ulimits: []Ulimit{{Name: "nofile", Soft: 1024, Hard: 4096}}, ReadonlyRootfs: true, Sysctls: map[string]string{"net.core.somaxconn": "1024"},
	}
	privileged := Input{Args: []string{"/x"}, CgroupPath: "/berth/t/t-1", Privileged: true, Unified: true, Capabilities: []string{"CAP_SYS_ADMIN"}, Native: specs.ArchX86_64}
	for name, in := range map[string]Input{"plain.json": plain, "privileged.json": privileged} {
		s, err := Build(in)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, s)
	}
}

func TestBadInputNamesTheField(t *testing.T) {
	t.Parallel()
	good := Input{Args: []string{"/x"}}
	for want, change := range map[string]func(*Input){
		"no command specified":      func(in *Input) { in.Args = nil },
		"mountPoints.containerPath": func(in *Input) { in.Mounts = []Mount{{Source: "/a", Target: "b"}} },
		"below /":                   func(in *Input) { in.Mounts = []Mount{{Source: "/a", Target: "/x/.."}} },
		"host.sourcePath":           func(in *Input) { in.Mounts = []Mount{{Source: "a", Target: "/b"}} },
		"ulimits.name":              func(in *Input) { in.Ulimits = []Ulimit{{Name: "files"}} },
		"ulimits.nofile":            func(in *Input) { in.Ulimits = []Ulimit{{Name: "nofile", Soft: 2, Hard: 1}} },
	} {
		in := good
		change(&in)
		if _, err := Build(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		add, drop  []string
		privileged bool
		held       uint64
		want       []string
	}{
		{"add and drop", []string{"SYS_PTRACE"}, []string{"ALL"}, false, everyCap, []string{"CAP_SYS_PTRACE"}},
		{"drop one, with prefix", nil, []string{"CAP_MKNOD", "NET_RAW"}, false, everyCap, []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_AUDIT_WRITE", "CAP_SETFCAP"}},
		{"only what is held", nil, nil, true, 1 << 21, []string{"CAP_SYS_ADMIN"}},
	} {
		got, err := Capabilities(c.add, c.drop, c.privileged, c.held)
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.name, err, d)
		}
	}
	if got, _ := Capabilities([]string{"ALL"}, nil, false, everyCap); len(got) != len(allCaps) {
		t.Errorf("ALL gives %d", len(got))
	}
	if _, err := Capabilities([]string{"NONSENSE"}, nil, false, everyCap); err == nil || !strings.Contains(err.Error(), "NONSENSE") {
		t.Errorf("nonsense: %v", err)
	}
	if _, err := Capabilities([]string{"SYS_RESOURCE"}, nil, false, everyCap&^(1<<24)); err == nil {
		t.Error("a capability the machine lacks is promised")
	}
}

func TestArgsFollowDocker(t *testing.T) {
	t.Parallel()
	ie, ic := []string{"/entry"}, []string{"cmd"}
	for _, c := range []struct{ e, c, want []string }{
		{nil, nil, []string{"/entry", "cmd"}},
		{nil, []string{"other"}, []string{"/entry", "other"}},
		{[]string{"/mine"}, nil, []string{"/mine"}},
		{[]string{"/mine"}, []string{"x"}, []string{"/mine", "x"}},
		{[]string{}, []string{"x"}, []string{"x"}},
	} {
		if got := Args(c.e, c.c, ie, ic); !slices.Equal(got, c.want) {
			t.Errorf("%q %q: %q", c.e, c.c, got)
		}
	}
}

func TestFilterHas32BitOnlyWhenNeeded(t *testing.T) {
	t.Parallel()
	for compat, want := range map[bool]bool{false: false, true: true} {
		s, err := Build(Input{Args: []string{"/x"}, Native: specs.ArchX86_64, Compat32: compat})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Linux.Seccomp.Architectures) > 1; got != want {
			t.Errorf("compat %v: %v", compat, s.Linux.Seccomp.Architectures)
		}
	}
}
