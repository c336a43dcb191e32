package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/node/runtime/spec"
)

const task = "0123456789abcdef0123456789abcdef"

func TestATasksDirectory(t *testing.T) {
	dir := t.TempDir()
	c := Config{Runsc: "/bin/runsc", Dir: filepath.Join(dir, "runsc"), Root: filepath.Join(dir, "root"), Namespace: "n"}
	if tasks, err := c.Tasks(); c.Has(task) || len(tasks) > 0 || err != nil {
		t.Errorf("before: %v %v", tasks, err)
	}
	for range 2 {
		if err := c.Ensure(task); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(c.Options(task).ConfigPath)
	if err != nil || !strings.Contains(string(text), `binary_name = "/bin/runsc"`) || !strings.Contains(string(text), `root = "`+c.Path(task)+`"`) {
		t.Errorf("options %q %v", text, err)
	}
	id := task + "-1"
	if c.Killed(task, id) || c.MarkKilled(task, id) != nil || !c.Killed(task, id) || c.Revive(task, id) != nil || c.Killed(task, id) || c.Revive(task, id) != nil {
		t.Error("the note of a kill")
	}
	if tasks, err := c.Tasks(); !c.Has(task) || len(tasks) != 1 || err != nil {
		t.Errorf("tasks %v %v", tasks, err)
	}
	for range 2 {
		if err := c.Remove(task); err != nil || c.Has(task) {
			t.Error("removed:", err)
		}
	}
}

func TestTheFirstContainer(t *testing.T) {
	dir := t.TempDir()
	c := Config{Runsc: "/bin/runsc", Dir: dir, Root: filepath.Join(dir, "root"), Namespace: "n"}
	s, err := c.Spec(task, spec.Input{CgroupPath: "/n/x", Netns: "/run/netns/x"}, Limits{CPU: 0.5, MemoryBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if s.Root.Path != c.Root || !s.Root.Readonly || s.Process.User.UID != nobody || s.Linux.Seccomp != nil ||
		*s.Linux.Resources.CPU.Quota != 50_000 || *s.Linux.Resources.Memory.Limit != 1<<20 || s.Annotations[kindAnnotation] != "sandbox" {
		t.Errorf("%+v", s)
	}
	for _, m := range s.Mounts {
		if strings.HasPrefix(m.Type, "cgroup") {
			t.Errorf("mount %+v", m)
		}
	}
	if !IsFirst(First(task)) || IsFirst(task+"-1") {
		t.Error("first")
	}
	Mark(s, task, false)
	if s.Annotations[kindAnnotation] != "container" || s.Annotations[idAnnotation] != First(task) {
		t.Errorf("annotations %v", s.Annotations)
	}
}
