package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/berth-ecs/berth/test/installation"
)

// TestGreed gives one region tasks that take all they get, beside one that must not notice.
func TestGreed(t *testing.T) {
	w := begin(t, installation.Options{Settings: []string{"task-pids-limit=200"}})
	bystander := w.running(define("bystander", idle))
	before := w.first(bystander)
	t.Run("a process that ignores SIGTERM is killed at stopTimeout", w.ignoresSIGTERM)
	t.Run("a fork bomb meets the limit", w.forkBomb)
	t.Run("a line of a gigabyte costs no memory", w.longLine)
	t.Run("a killed shim ends its task only", w.shimKilled)
	if now := w.first(bystander); now != before || w.status(bystander) != "RUNNING" {
		t.Errorf("the bystander was process %d and is %d, %s", before, now, w.status(bystander))
	}
	w.stop(bystander)
}

func (w *world) ignoresSIGTERM(t *testing.T) {
	arn := w.running(define("deaf", `trap '' TERM; while :; do sleep 1; done`))
	begun := time.Now()
	task := w.stop(arn)
	if took := time.Since(begun); took < 2*time.Second {
		t.Errorf("stopped after %v, before its stopTimeout", took)
	}
	if code := aws.ToInt32(task.Containers[0].ExitCode); code != 137 {
		t.Errorf("exit code %d, want 137", code)
	}
	if reason := aws.ToString(task.StoppedReason); reason != "Task stopped by user" && task.StopCode != "UserInitiated" {
		t.Errorf("stopped as %s, %q", task.StopCode, reason)
	}
}

// forkBomb forks without end. The kernel counts what is in the task's cgroup, and fork fails at the limit.
func (w *world) forkBomb(t *testing.T) {
	d := define("bomb", `i=0; while :; do sleep 1000 & done`)
	arn := w.running(d)
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	w.eventually("the bomb reaches its limit", func() error {
		// busybox's shell ends when it cannot fork: then the task has stopped by itself.
		if w.status(arn) == "STOPPED" {
			return nil
		}
		for _, name := range []string{"/sys/fs/cgroup/pids/" + w.Name + "/" + id, "/sys/fs/cgroup/" + w.Name + "/" + id} {
			events, _ := os.ReadFile(filepath.Join(name, "pids.events"))
			if strings.HasPrefix(string(events), "max ") && !strings.HasPrefix(string(events), "max 0") {
				return nil
			}
			n, _ := os.ReadFile(filepath.Join(name, "pids.current"))
			if strings.TrimSpace(string(n)) == "200" {
				return nil
			}
		}
		return fmt.Errorf("it is %s", w.status(arn))
	})
	if w.status(arn) != "STOPPED" {
		w.stop(arn)
	}
	task := w.AwaitTask(t, arn, "STOPPED")
	if aws.ToString(task.StoppedReason) == "" {
		t.Error("it has no stoppedReason")
	}
	// The machine forks on, and so do other tasks.
	w.AwaitTask(t, w.Run(t, define("after", "sh -c true")), "STOPPED")
}

func (w *world) longLine(t *testing.T) {
	hold := w.process("berth", "--run-dir="+w.RunDir)
	before := memory(t, hold, "VmHWM")
	arn := w.Run(t, define("line", `dd if=/dev/zero bs=1M count=1024 2>/dev/null | tr '\0' x`))
	task := w.AwaitTask(t, arn, "STOPPED")
	if code := aws.ToInt32(task.Containers[0].ExitCode); code != 0 {
		t.Errorf("exit code %d: %s", code, aws.ToString(task.Containers[0].Reason))
	}
	if most := memory(t, hold, "VmHWM"); most > before+32 { // of which most is the program itself, as it is first read
		t.Errorf("hold had %d MiB resident, and %d before", most, before)
	}
	var size int64
	files, _ := filepath.Glob(filepath.Join(w.DataDir, "logs", arn[strings.LastIndexByte(arn, '/')+1:], "*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	if size < 40<<20 || size > 51<<20 {
		t.Errorf("its log has %d bytes in %d files", size, len(files))
	}
}
