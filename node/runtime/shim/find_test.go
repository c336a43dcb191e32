package shim

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()
	config := Config{BinDir: "/opt/berth/bin", Address: "/run/berth/containerd.sock", Namespace: "berth"}
	bin, sandbox, addr := "/opt/berth/bin/containerd-shim-runc-v2", "/opt/berth/bin/containerd-shim-berth-v1", config.Address
	for _, c := range []struct {
		args []string
		task string
	}{
		{[]string{bin, "-namespace", "berth", "-id", "abc", "-address", addr, ""}, "abc"},
		{[]string{sandbox, "-namespace", "berth", "-address", addr, "-id", "abc"}, "abc"},
		{[]string{bin, "-namespace", "berth", "-id", "abc", "-address", "/run/containerd/containerd.sock", ""}, ""},
		{[]string{bin, "-namespace", "another", "-id", "abc", "-address", addr, ""}, ""},
		{[]string{"/elsewhere/containerd-shim-runc-v2", "-namespace", "berth", "-id", "abc", "-address", addr, ""}, "abc"},
		{[]string{"/opt/berth/bin/runc", "-namespace", "berth", "-id", "abc", "-address", addr, ""}, ""},
		{[]string{bin, "-id", "abc", "-address", addr, ""}, ""},
		{[]string{""}, ""},
	} {
		if task, ok := config.idIn(c.args); (ok && task != c.task) || ok != (c.task != "") {
			t.Errorf("%q: %q %v", c.args, task, ok)
		}
	}
}

// The kernel tells where a shim works without the links on the way, also when its directory is gone.
func TestWhomAShimWorksFor(t *testing.T) {
	t.Parallel()
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"shims/abc", "other/abc"} {
		if err := os.MkdirAll(filepath.Join(real, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := Config{Dir: filepath.Join(link, "shims")}
	for dir, want := range map[string]string{c.Path("abc"): "abc", filepath.Join(link, "other/abc"): ""} {
		cmd := exec.Command("sleep", "1000")
		cmd.Dir = dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if got := c.worksFor(cmd.Process.Pid); got != want {
			t.Errorf("in %s: %q, want %q", dir, got, want)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		if got := c.worksFor(cmd.Process.Pid); got != want {
			t.Errorf("in %s, which is gone: %q, want %q", dir, got, want)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}
