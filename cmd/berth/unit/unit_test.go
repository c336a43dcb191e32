package unit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/cmd/berth/unit"
)

var files = map[unit.Kind]string{unit.Server: "berth-server.service", unit.Node: "berth-node.service", unit.Up: "berth.service", unit.Slice: "berthd.slice"}

func of(t *testing.T, k unit.Kind) unit.Of {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return unit.Of{Kind: k, Exe: exe, DataDir: "/var/lib/berth", RunDir: "/run/berth", Environment: []string{`BERTH_ATTRIBUTES=rack=7,note=50% "full"`, "BERTH_ZONE=us-east-1b"}}
}

// systemd itself reads them, where it is installed: a word that it does not know is an error.
func TestSystemdTakesTheUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd is not installed")
	}
	dir := t.TempDir()
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	for k, name := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(unit.Text(of(t, k))), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), dir) {
		t.Errorf("%v\n%s", err, out)
	}
	broken := filepath.Join(dir, "broken.service")
	text := strings.Replace(unit.Text(of(t, unit.Node)), "KillMode=process", "KillMode=nobody", 1)
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", broken).CombinedOutput(); !strings.Contains(string(out), "nobody") {
		t.Errorf("it takes anything: %s", out)
	}
}

// directives are those of the section [Service].
func directives(text string) map[string][]string {
	out, in := map[string][]string{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			in = line
			continue
		}
		if name, value, ok := strings.Cut(line, "="); ok && in == "[Service]" {
			out[name] = append(out[name], value)
		}
	}
	return out
}

// What a node starts outlives it and inherits from it: its unit must neither end nor confine it.
func TestAUnitOfANodeLeavesItsContainersAlone(t *testing.T) {
	for _, k := range []unit.Kind{unit.Node, unit.Up} {
		d := directives(unit.Text(of(t, k)))
		if !slices.Equal(d["KillMode"], []string{"process"}) || !slices.Equal(d["Delegate"], []string{"yes"}) || !slices.Equal(d["Restart"], []string{"always"}) {
			t.Errorf("%s: %v", k, d)
		}
		for name := range d {
			for _, confining := range []string{"Protect", "Private", "ReadWritePaths", "ReadOnlyPaths", "NoNew", "Capability", "Restrict", "SystemCall", "MemoryDeny", "Lock", "OOMScore", "Mount", "UMask", "RuntimeDirectory", "RootDirectory", "User"} {
				if strings.HasPrefix(name, confining) && name != "RestartPreventExitStatus" {
					t.Errorf("%s: containers would inherit, or not be seen for, %s", k, name)
				}
			}
		}
	}
}

func TestAUnitOfAServerConfinesIt(t *testing.T) {
	d := directives(unit.Text(of(t, unit.Server)))
	for name, want := range map[string]string{
		"ReadWritePaths": "/var/lib/berth /run/berth", "ProtectSystem": "strict", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE", "Restart": "always", "Type": "notify",
	} {
		if !slices.Equal(d[name], []string{want}) {
			t.Errorf("%s=%q, want %q", name, d[name], want)
		}
	}
	if d["KillMode"] != nil {
		t.Error("a server leaves processes behind")
	}
	want := []string{`"BERTH_ATTRIBUTES=rack=7,note=50%% \"full\""`, "BERTH_ZONE=us-east-1b"}
	if !slices.Equal(d["Environment"], want) {
		t.Errorf("%q, want %q", d["Environment"], want)
	}
}
