package escape

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// control makes containers from the real one's specification, with protections taken away, by the runtime's own command.
type control struct {
	t             *testing.T
	program       string // runc or runsc
	flags         []string
	spec          document
	aim           aim.Aim
	root          string // of the containers' files
	group         string // of control groups
	victimNetns   string
	victimIPC     string
	instanceNetns string
	every         []any // capability that this process has
	made          atomic.Int32
}

// run makes attempts in a container of its own.
func (c *control) run(t *testing.T, names []string, gone ...protection) map[string]aim.Outcome {
	t.Helper()
	d := c.spec.clone(t)
	d.namespace("network", fresh)
	c.without(d, gone)
	id := fmt.Sprintf("%s-%d", c.group, c.made.Add(1))
	bundle := filepath.Join(t.TempDir(), id)
	process := d.part("process")
	process["args"] = append([]any{"/attempt", "all"}, anys(names)...)
	process["env"] = []any{"PATH=/", c.aim.Setting()}
	process["terminal"] = false
	d["root"] = map[string]any{"path": c.root}
	d.part("linux")["cgroupsPath"] = "/" + c.group + "/" + id
	delete(d, "annotations")
	delete(d, "hooks")
	text, err := json.Marshal(d)
	if err == nil {
		err = os.MkdirAll(bundle, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c.command(t, id, bundle, slices.Contains(gone, descriptors))
}

func (c *control) command(t *testing.T, id, bundle string, withDirectory bool) map[string]aim.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	root := []string{"--root", filepath.Join(filepath.Dir(bundle), "state")}
	args := append(root, c.flags...)
	args = append(args, "run", "--bundle", bundle)
	var extra []*os.File
	if withDirectory {
		dir, err := os.Open("/")
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		args, extra = append(args, "--preserve-fds", "1"), []*os.File{dir}
	}
	cmd := exec.CommandContext(ctx, c.program, append(args, id)...)
	cmd.ExtraFiles = extra
	var said, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", c.program, err, said.String(), errs.String())
	}
	_ = exec.CommandContext(ctx, c.program, append(root, "delete", "--force", id)...).Run()
	_ = unix.Unmount(filepath.Join(root[1], "null-netns"), unix.MNT_DETACH) // runsc's
	out := map[string]aim.Outcome{}
	outcomes(t, said.String(), out)
	return out
}

// bare makes one attempt in no container at all, below a root that is only changed by chroot; "" is the machine's.
func (c *control) bare(t *testing.T, name, root string) aim.Outcome {
	t.Helper()
	program := "/attempt"
	if root == "" {
		program = filepath.Join(c.root, "attempt")
	}
	cmd := exec.CommandContext(t.Context(), program, "one", name)
	cmd.Env = append(os.Environ(), c.aim.Setting())
	if root != "" {
		cmd.SysProcAttr, cmd.Dir, cmd.Path = &syscall.SysProcAttr{Chroot: root}, "/", program
		cmd.Err = nil
	}
	text, err := cmd.CombinedOutput()
	var o aim.Outcome
	if json.Unmarshal(text, &o) != nil {
		t.Fatalf("%s: %v %s", name, err, text)
	}
	return o
}

func anys(in []string) (out []any) {
	for _, s := range in {
		out = append(out, s)
	}
	return out
}

// filesOf makes a root file system with the program in it.
func filesOf(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"etc", "tmp", "proc", "sys", "dev", "machine"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	body, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "attempt"), body, 0o755)
	}
	for _, f := range []string{"hosts", "hostname", "resolv.conf"} {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "etc", f), nil, 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// processOf finds a process by its command line.
func processOf(t *testing.T, words ...string) int {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		line, _ := os.ReadFile(f)
		all := len(line) > 0
		for _, w := range words {
			all = all && strings.Contains(string(line), w)
		}
		if all {
			var pid int
			_, _ = fmt.Sscanf(f, "/proc/%d/", &pid)
			return pid
		}
	}
	return 0
}
