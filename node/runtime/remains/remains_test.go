package remains

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/runtime/cgroup"
)

// A check that outlives its container has a cgroup of its own in the container's; both go.
func TestChecksAreScrubbed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	cg, err := cgroup.Open("")
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("0a", 16) + "-0"
	c := Config{Name: fmt.Sprintf("r%x", time.Now().UnixNano()&0xfffff), Cgroups: cg}
	c.Cgroup = "/" + c.Name + "/" + id[:32]
	path := c.Cgroup + "/" + id
	t.Cleanup(func() {
		if err := cg.Remove("/" + c.Name); err != nil {
			t.Error(err)
		}
	})
	if err := cg.Make(path, cgroup.Limits{}); err != nil {
		t.Fatal(err)
	}
	seat, err := cg.Seat(path, "check")
	if err != nil {
		t.Fatal(err)
	}
	check := exec.Command("sleep", "1000")
	if err := check.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- check.Wait() }()
	t.Cleanup(func() { _ = check.Process.Kill() })
	for _, file := range seat.Join {
		if filepath.Base(filepath.Dir(file)) != "check" {
			continue // it may have been killed while it joined
		}
		if err := os.WriteFile(file, []byte(strconv.Itoa(check.Process.Pid)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(time.Minute); ; {
		err := c.scrubCgroup(id)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(every)
	}
	if err := <-ended; err == nil || check.ProcessState.ExitCode() != -1 {
		t.Error("it was not killed:", err)
	}
}
