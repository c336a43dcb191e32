package escape

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/node/runtime/spec"
	"github.com/berth-ecs/berth/test/escape/aim"
)

// control is the one beside a place's real tasks.
func (p *place) control(m machine) *control {
	p.t.Helper()
	caps, err := spec.Held()
	if err != nil {
		p.t.Fatal(err)
	}
	all, err := spec.Capabilities([]string{"ALL"}, nil, true, caps)
	if err != nil {
		p.t.Fatal(err)
	}
	machine := p.aim
	machine.First = os.Getpid()
	c := &control{
		t: p.t, program: filepath.Join(p.BinDir, p.runtime), spec: p.spec, aim: machine, root: m.root, group: p.Name + "c", victimNetns: p.netns, every: anys(all),
	}
	if p.runtime == "runsc" {
		c.flags = []string{"--platform=systrap", "--network=none", "--overlay2=none", "--net-raw", "--ignore-cgroups"}
		return c
	}
	pid := processOf(p.t, "victim", p.aim.Victims[0])
	if pid == 0 {
		p.t.Fatal("the victim is not to be found")
	}
	c.victimIPC = fmt.Sprintf("/proc/%d/ns/ipc", pid)
	p.t.Cleanup(func() { removeGroups(c.group) })
	return c
}

// removeGroups takes the control groups away that a runtime made for controls.
func removeGroups(name string) {
	for _, pattern := range []string{"/sys/fs/cgroup/*/" + name, "/sys/fs/cgroup/" + name} {
		found, _ := filepath.Glob(pattern)
		for _, dir := range found {
			_ = os.Remove(dir)
		}
	}
}

func (c *control) prove(t *testing.T, m machine) {
	t.Helper()
	if filepath.Base(c.program) == "runsc" {
		c.proveSandbox(t)
		return
	}
	c.entering(t, m)
	for _, set := range sets() {
		names := of(func(r row) bool { return key(r.stops) == set })
		stop := rowOf(names[0]).stops
		for name, o := range c.under(t, names, stop) {
			c.succeeds(t, name, stop, o)
		}
	}
	// Each of several is enough.
	for _, p := range everything() {
		names := of(func(r row) bool { return len(r.stops) > 1 && slices.Contains(r.stops, p) })
		if len(names) == 0 {
			continue
		}
		rest := slices.DeleteFunc(everything(), func(q protection) bool { return q == p })
		for name, o := range c.run(t, names, rest...) {
			if o.Result == aim.Succeeded {
				t.Errorf("%s succeeds with %s alone", name, p)
			}
		}
	}
}

// under makes attempts without protections; without a root of its own there is no container.
func (c *control) under(t *testing.T, names []string, gone []protection) map[string]aim.Outcome {
	t.Helper()
	if !slices.Contains(gone, rootChange) {
		return c.run(t, names, gone...)
	}
	return map[string]aim.Outcome{
		"files: chroot":  c.bare(t, "files: chroot", c.root),
		"files: upwards": c.bare(t, "files: upwards", ""),
	}
}

// succeeds checks a control's attempt. What this machine's kernel does not have cannot be proven on it.
func (c *control) succeeds(t *testing.T, name string, gone []protection, o aim.Outcome) {
	t.Helper()
	if o.Result == aim.Absent && c.bare(t, name, "").Result == aim.Absent || o.Result != aim.Succeeded && c.unable(name) {
		t.Logf("not proven here: %s: %s", name, o.How)
		return
	}
	if o.Result != aim.Succeeded {
		t.Errorf("%s does not succeed without %v: %+v", name, gone, o)
	}
}

// unable says that a row needs a right that this test does not have itself.
func (c *control) unable(name string) bool {
	return slices.Contains([]string{"kernel: oom_score_adj", "kernel: rlimit"}, name) && !slices.Contains(c.every, any("CAP_SYS_RESOURCE"))
}

// proveSandbox: what capabilities stop in a sandbox succeeds with them, in it; what gVisor does not have is not there for whoever has all.
func (c *control) proveSandbox(t *testing.T) {
	t.Helper()
	names := of(func(r row) bool {
		return r.sandbox == capabilities || r.sandbox == noNewRights || r.sandbox == gvisor && kernelRow(r)
	})
	for name, o := range c.run(t, names, capabilities, noNewRights) {
		r := rowOf(name)
		if (o.Result == aim.Succeeded) != (r.sandbox != gvisor) && !c.unable(name) {
			t.Errorf("%s in a sandbox with every capability: %+v, but %s should stop it", name, o, r.sandbox)
		}
	}
}

// kernelRow says that a row is a matter of the kernel alone: of nothing that only a region has.
func kernelRow(r row) bool {
	return !strings.HasPrefix(r.name, "neighbours: ") && !strings.HasPrefix(r.name, "node: ") && !strings.HasPrefix(r.name, "files: a program")
}

// entering has a program of the machine come in and end again and again, as one that enters containers does.
func (c *control) entering(t *testing.T, m machine) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "entering")
	body, err := os.ReadFile(m.bin)
	if err == nil {
		err = os.WriteFile(name, body, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.aim.Entering = "entering-" + m.token
	go func() {
		for t.Context().Err() == nil {
			_ = exec.CommandContext(t.Context(), name, "moment", c.aim.Entering).Run()
		}
	}()
}

// sets are the rows' protections, each once.
func sets() (out []string) {
	for _, r := range rows {
		if !slices.Contains(out, key(r.stops)) {
			out = append(out, key(r.stops))
		}
	}
	return out
}

func key(p []protection) string { return fmt.Sprint(p) }

func of(which func(row) bool) (out []string) {
	for _, r := range rows {
		if which(r) {
			out = append(out, r.name)
		}
	}
	return out
}

func rowOf(name string) row {
	return rows[slices.IndexFunc(rows, func(r row) bool { return r.name == name })]
}
