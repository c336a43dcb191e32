package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/test/audit/inventory"
)

// berth's own processes weigh more than the tasks, those that carry output do not, and none is in a task's limits.
func TestWhereProcessesSit(t *testing.T) {
	t.Parallel()
	if self := readFile(t, "/proc/self/cgroup"); !strings.Contains(self, ":/\n") {
		t.Skip("this process has a cgroup of its own, and so what it starts")
	}
	task := running(t, define(t, script("main", idle)))
	awaitChildren(t, *task.TaskArn, 1)
	v, err := inventory.Take(t.Context(), inventory.Options{Name: region.Name, DataDir: region.DataDir})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"containerd": "-own", "hold": "-hold", "shim": "-hold"}
	found := map[string]int{}
	for _, p := range v.Of(inventory.Process) {
		class, _, _ := strings.Cut(p.Key, " ")
		if place, ok := want[class]; ok && (class != "shim" || p.Owner == id(*task.TaskArn)) {
			found[class]++
			var pid int
			_, _ = fmt.Sscan(p.Key[strings.LastIndexByte(p.Key, ' ')+1:], &pid)
			sits(t, class, pid, region.Name+place)
		}
	}
	for class := range want {
		equal(t, "processes: "+class, found[class], 1)
	}
	sits(t, "the region", region.PID("up"), region.Name+"-own")
	for _, pid := range pids(t, *task.TaskArn) {
		sits(t, "the task", pid, region.Name+"/"+id(*task.TaskArn))
	}
}

// sits looks for a process's cgroup where the kernel says it.
func sits(t *testing.T, what string, pid int, cgroup string) {
	t.Helper()
	text := readFile(t, fmt.Sprintf("/proc/%d/cgroup", pid))
	for line := range strings.Lines(text) {
		if _, path, ok := strings.Cut(line, ":/"); ok && strings.HasPrefix(path+"/", cgroup) {
			return
		}
	}
	t.Errorf("%s (process %d) is not in %s:\n%s", what, pid, cgroup, text)
}
