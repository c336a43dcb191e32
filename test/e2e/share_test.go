package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Containers of a task with one process and IPC namespace see each other's processes and shared memory.
func TestTaskSharesProcessesAndMemory(t *testing.T) {
	t.Parallel()
	d := define(t,
		script("main", "until ps | grep -q '[s]leep 4712' && [ -s /dev/shm/x ]; do sleep 0.1; done; echo saw; cat /dev/shm/x; ls /proc/1/root 2>/dev/null | wc -l"),
		script("other", "echo kept > /dev/shm/x; exec sleep 4712", optional))
	d.ContainerDefinitions[0].DependsOn = []types.ContainerDependency{{ContainerName: aws.String("other"), Condition: types.ContainerConditionStart}}
	d.PidMode, d.IpcMode = types.PidModeTask, types.IpcModeTask
	task := finished(t, d)
	equal(t, "output", output(t, *task.TaskArn, "main"), "saw\nkept\n0\n")
}

func TestTaskHasTheMachinesProcesses(t *testing.T) {
	t.Parallel()
	d := define(t, script("main", "readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc"))
	d.PidMode, d.IpcMode = types.PidModeHost, types.IpcModeHost
	task := finished(t, d)
	var want []string
	for _, name := range []string{"/proc/self/ns/pid", "/proc/self/ns/ipc"} {
		ns, err := os.Readlink(name)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, ns)
	}
	equal(t, "namespaces", strings.TrimSpace(output(t, *task.TaskArn, "main")), strings.Join(want, "\n"))
}

func TestTaskWithoutSharedMemory(t *testing.T) {
	t.Parallel()
	d := define(t, script("main", "grep -c ' /dev/shm ' /proc/mounts"))
	d.IpcMode = types.IpcModeNone
	task := finished(t, d)
	equal(t, "mounts", output(t, *task.TaskArn, "main"), "0\n")
}

// dockerVolume is a definition whose only container mounts a Docker volume.
func dockerVolume(t *testing.T, text string, c types.DockerVolumeConfiguration) types.Task {
	t.Helper()
	name := family(t)
	d := define(t, script("main", text, mount(name, "/v", false)))
	d.Volumes = []types.Volume{{Name: &name, DockerVolumeConfiguration: &c}}
	return finished(t, d)
}

func TestVolumeWithDriverOptions(t *testing.T) {
	t.Parallel()
	t.Run("tmpfs", func(t *testing.T) {
		t.Parallel()
		task := dockerVolume(t, "grep ' /v ' /proc/mounts | grep -o 'size=[0-9]*k'", types.DockerVolumeConfiguration{
			Scope: types.ScopeTask, DriverOpts: map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "size=2m"},
		})
		equal(t, "size", output(t, *task.TaskArn, "main"), "size=2048k\n")
	})
	t.Run("bind", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		c := types.DockerVolumeConfiguration{
			Scope: types.ScopeShared, Autoprovision: aws.Bool(true), DriverOpts: map[string]string{"type": "none", "device": dir, "o": "bind"},
		}
		for range 2 {
			dockerVolume(t, "echo x >> /v/f", c)
		}
		equal(t, "what is behind the volume", readFile(t, filepath.Join(dir, "f")), "x\nx\n")
		c.Labels = map[string]string{"a": "b"}
		task := dockerVolume(t, "true", c)
		if reason := aws.ToString(task.StoppedReason); !strings.Contains(reason, "exists with other labels or driver options") {
			t.Errorf("the reason is %q", reason)
		}
	})
	t.Run("impossible", func(t *testing.T) {
		t.Parallel()
		task := dockerVolume(t, "true", types.DockerVolumeConfiguration{Scope: types.ScopeTask, DriverOpts: map[string]string{"type": "no-such", "device": "x"}})
		if reason := aws.ToString(task.StoppedReason); !strings.Contains(reason, "CannotCreateVolumeError: failed to mount local volume") {
			t.Errorf("the reason is %q", reason)
		}
	})
}
