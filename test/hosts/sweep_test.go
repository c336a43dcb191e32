package hosts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

const leaving = "BERTH_TEST_LEAVING"

// What a test process that was killed left is gone when the next one sweeps; what another still uses stays.
func TestWhatACrashLeavesIsSwept(t *testing.T) {
	mine := hosts.New(t).Host()
	exe, err := installation.Program(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLeaveAWorld$", "-test.v")
	child.Env = append(os.Environ(), leaving+"=1", "BERTH_TEST_PROGRAM="+exe)
	out, err := child.CombinedOutput()
	if err == nil {
		t.Fatalf("the other process was not killed:\n%s", out)
	}
	name := regexp.MustCompile(`host=(h[0-9a-f]{5})`).FindStringSubmatch(string(out))
	if name == nil {
		t.Fatalf("the other process made no host:\n%s", out)
	}
	if len(left(t, name[1])) < 2 {
		t.Fatalf("it left %v only", left(t, name[1]))
	}
	if err := hosts.Sweep(t.Context(), exe); err != nil {
		t.Fatal(err)
	}
	if found := left(t, name[1]); len(found) > 0 {
		t.Errorf("still there: %v", found)
	}
	if _, err := os.Stat("/run/netns/" + mine.Name); err != nil {
		t.Errorf("a world in use was swept: %v", err)
	}
}

// left are the namespace and the processes of a host.
func left(t *testing.T, name string) []string {
	t.Helper()
	found, _ := filepath.Glob("/run/netns/" + name)
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range environs {
		text, _ := os.ReadFile(path) // it may be gone by now
		if strings.Contains(string(text), "BERTH_NAME="+name+"\x00") {
			found = append(found, filepath.Dir(path))
		}
	}
	return found
}

// TestLeaveAWorld is the other process.
func TestLeaveAWorld(t *testing.T) {
	if os.Getenv(leaving) == "" {
		t.Skip("it is another test's other process")
	}
	h := hosts.New(t).Host()
	h.Slow(time.Millisecond, 0)
	h.First()
	t.Logf("host=%s", h.Name)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
