package runtime

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/runtime/snapshot"
)

func TestOldRuncIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := "#!/bin/sh\necho runc version 1.1.5\n"
	syscall.ForkLock.RLock() // a child that is forked meanwhile would have the file open for writing: it cannot be executed then
	err := os.WriteFile(filepath.Join(dir, "runc"), []byte(script), 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Name: "x", BinDir: dir, DataDir: dir, RunDir: "/run/x"}
	_, err = Open(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "runc 1.1.5") || !strings.Contains(err.Error(), "CVE-2025-31133") {
		t.Errorf("open: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := Config{Name: "berth", BinDir: "/b", DataDir: "/d", RunDir: "/run/berth"}
	if err := good.check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"Config.Name":    func(c *Config) { c.Name = "toolongname" },
		"Config.BinDir":  func(c *Config) { c.BinDir = "bin" },
		"Config.DataDir": func(c *Config) { c.DataDir = "" },
		"Config.RunDir":  func(c *Config) { c.RunDir = "/" + strings.Repeat("x", 60) },
	} {
		c := good
		change(&c)
		if err := c.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestContainerIDsBelongToTheirTask(t *testing.T) {
	t.Parallel()
	task := strings.Repeat("a", 32)
	good := Container{ID: task + "-1", TaskID: task, Name: "c", Image: Image{ChainID: "sha256:1"}}
	if err := good.check(); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"", task, task + "-", task + "-x", strings.Repeat("b", 32) + "-1", task + "-1/../x"} {
		c := good
		c.ID = id
		if c.check() == nil {
			t.Errorf("%q is taken", id)
		}
	}
}

func TestErrorsKeepTheFirstName(t *testing.T) {
	t.Parallel()
	inner := named(CannotPullContainerError, errors.New("no route"))
	outer := named(CannotCreateContainerError, fmt.Errorf("while creating: %w", inner))
	if e := (*Error)(nil); !errors.As(outer, &e) || e.Name != CannotPullContainerError {
		t.Errorf("%v", outer)
	}
	if named(CannotStartContainerError, nil) != nil {
		t.Error("nil became an error")
	}
}

func TestLayerDirs(t *testing.T) {
	t.Parallel()
	overlay := []mount.Mount{{Type: "overlay", Options: []string{"workdir=/s/3/work", "upperdir=/s/3/fs", "lowerdir=/s/2/fs:/s/1/fs"}}}
	if d := cmp.Diff([]string{"/s/2/fs", "/s/1/fs"}, snapshot.Dirs(overlay)); d != "" {
		t.Error(d)
	}
	bind := []mount.Mount{{Type: "bind", Source: "/s/1/fs", Options: []string{"ro", "rbind"}}}
	if d := cmp.Diff([]string{"/s/1/fs"}, snapshot.Dirs(bind)); d != "" {
		t.Error(d)
	}
}

func TestNetDev(t *testing.T) {
	t.Parallel()
	text := "Inter-|   Receive    |  Transmit\n face |bytes packets\n" +
		"    lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0\n" +
		"  eth0: 123456     789    1    2    0     0          0         0    65432     987    3    4    0     0       0          0\n"
	want := map[string]NetworkStats{
		"lo":   {RxBytes: 100, RxPackets: 2, TxBytes: 100, TxPackets: 2},
		"eth0": {RxBytes: 123456, RxPackets: 789, RxErrors: 1, RxDropped: 2, TxBytes: 65432, TxPackets: 987, TxErrors: 3, TxDropped: 4},
	}
	if d := cmp.Diff(want, parseNetDev([]byte(text))); d != "" {
		t.Error(d)
	}
}
