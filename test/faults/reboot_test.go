package faults

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// TestReboot ends everything as a power cut does, empties run-dir, and begins again with another boot id. The services are
// replaced, and what ran says why it does not any more.
func TestReboot(t *testing.T) {
	w := begin(t, installation.Options{})
	old := w.service("web", 2)
	alone := w.running(define("alone", idle))
	w.powerCut([]string{*old[0].TaskArn, *old[1].TaskArn, alone})
	w.Use(installation.Node, "/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-c", anotherBoot(t), w.program())
	for _, r := range []installation.Role{installation.Server, installation.Node} {
		if err := w.Begin(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, arn := range []string{*old[0].TaskArn, *old[1].TaskArn, alone} {
		task := w.AwaitTask(t, arn, "STOPPED")
		if task.StopCode != types.TaskStopCodeEssentialContainerExited || aws.ToString(task.StoppedReason) != "Essential container in task exited" {
			t.Errorf("%s stopped as %s, %q", arn, task.StopCode, aws.ToString(task.StoppedReason))
		}
		c := task.Containers[0]
		if c.ExitCode == nil && !strings.Contains(aws.ToString(c.Reason), "ContainerVanishedError") {
			t.Errorf("%s: no exit code, and the reason %q", arn, aws.ToString(c.Reason))
		}
	}
	for _, task := range w.serving("web", 2) {
		if slices.ContainsFunc(old, func(o types.Task) bool { return *o.TaskArn == *task.TaskArn }) {
			t.Errorf("%s is there again", *task.TaskArn)
		}
	}
}

func (w *world) program() string {
	w.t.Helper()
	exe, err := installation.Program(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return exe
}

// anotherBoot is a script that shows its program another boot id. The rest of the machine does not see it.
func anotherBoot(t *testing.T) string {
	t.Helper()
	id := filepath.Join(t.TempDir(), "boot_id")
	if err := os.WriteFile(id, []byte("00000000-1111-2222-3333-444444444444\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return `mount --bind ` + id + ` /proc/sys/kernel/random/boot_id && exec "$0" "$@"`
}

// powerCut ends every process of the installation and what only lives as long as the machine runs.
func (w *world) powerCut(tasks []string) {
	w.t.Helper()
	var first []int
	for _, arn := range tasks {
		first = append(first, w.first(arn))
	}
	w.Kill(installation.Server)
	w.Kill(installation.Node)
	for _, end := range []func() error{w.KillContainerd, w.KillHold, w.KillShims} {
		if err := end(); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, pid := range first {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			w.t.Fatal(err)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		w.t.Fatal(err)
	}
	lines := strings.Split(string(mounts), "\n")
	slices.Reverse(lines)
	for _, line := range lines {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], w.RunDir+"/") {
			if err := syscall.Unmount(fields[1], syscall.MNT_DETACH); err != nil {
				w.t.Errorf("%s: %v", fields[1], err)
			}
		}
	}
	if err := os.RemoveAll(w.RunDir); err != nil {
		w.t.Fatal(err)
	}
}
