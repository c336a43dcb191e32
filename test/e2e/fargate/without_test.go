package fargate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Without gVisor FARGATE's tasks run, on runc, and berth says so; with it, too.
func TestWhatFargateRunsOnIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		gone       []string
		up, doctor string
	}{
		"without gVisor": {[]string{"runsc", "containerd-shim-berth-v1"}, "FARGATE tasks run on runc; make sandbox installs gVisor", "tasks run on runc: runsc and containerd-shim-berth-v1 not found"},
		"with gVisor":    {nil, "FARGATE tasks run in gVisor sandboxes", "tasks run in gVisor sandboxes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(filepath.Join(binDir(), "runsc")); test.gone == nil && err != nil {
				t.Skip("no gVisor: make sandbox installs it")
			}
			w := open(t, "bin-dir="+tools(t, test.gone))
			for args, want := range map[string]string{"up": test.up, "doctor": test.doctor} {
				out, err := w.berth.Command(t.Context(), args).CombinedOutput()
				if strings.Count(string(out), want) != 1 {
					t.Errorf("%s: %v\n%s\nwant %q", args, err, out, want)
				}
			}
			ran := w.running(w.begin(w.subnet, types.AssignPublicIpEnabled))
			w.answers(&web, "it", "http://"+ran.public, "peer")
			if kernel := sandboxed(t, w.berth.RunDir); kernel != (test.gone == nil) {
				t.Errorf("in a sandbox: %t", kernel)
			}
		})
	}
}

// tools is a directory with what is installed but some.
func tools(t *testing.T, but []string) string {
	t.Helper()
	dir := t.TempDir()
	all, err := os.ReadDir(binDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if err := os.Symlink(filepath.Join(binDir(), f.Name()), filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range but {
		_ = os.Remove(filepath.Join(dir, name)) // it may not be installed
	}
	return dir
}

// sandboxed says whether a sandbox of an installation runs.
func sandboxed(t *testing.T, runDir string) bool {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		text, _ := os.ReadFile(l) // it may have ended
		if s := string(text); strings.Contains(s, runDir) && strings.Contains(s, "runsc-sandbox") {
			return true
		}
	}
	return false
}
