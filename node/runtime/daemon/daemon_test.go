package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRuncVersions(t *testing.T) {
	t.Parallel()
	for text, escapable := range map[string]bool{
		"runc version 1.1.5\ncommit: x": true,
		"runc version 1.2.7":            true,
		"runc version 1.2.8":            false,
		"runc version 1.2.9+dev":        false,
		"runc version 1.3.0":            true,
		"runc version 1.3.2":            true,
		"runc version 1.3.3":            false,
		"runc version 1.3.3-rc.1":       true,
		"runc version 1.4.0-rc.2":       true,
		"runc version 1.4.0-rc.3":       false,
		"runc version 1.4.0~rc3":        false,
		"runc version 1.4.0":            false,
		"runc version 1.4.3\nspec: 1.3": false,
		"runc version 2.0.0":            false,
	} {
		v, err := ParseRuncVersion(text)
		if err != nil || v.Escapable() != escapable {
			t.Errorf("%q: %v, escapable %v, %v", text, v, v.Escapable(), err)
		}
	}
	if _, err := ParseRuncVersion("crun version 1.8.1"); err == nil {
		t.Error("crun is taken for runc")
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	got := Text(Config{
		DataDir: "/var/lib/berth", RunDir: "/run/berth", Address: "/run/berth/containerd.sock",
		TTRPCAddress: "/run/berth/containerd.sock.ttrpc", SocketDir: "/run/berth/s",
	})
	golden(t, "containerd.toml", got)
	for _, kept := range []string{"io.containerd.grpc.v1.sandboxes", "io.containerd.sandbox.store.v1.local", "io.containerd.gc.v1.scheduler"} {
		if strings.Contains(got, kept) {
			t.Errorf("%s is disabled; exit codes need it", kept)
		}
	}
}

// golden compares with testdata; UPDATE=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}
