package faults

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

func (w *world) shimKilled(t *testing.T) {
	arn := w.running(define("shimless", idle))
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	pid := w.shimOf(id)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	task := w.AwaitTask(t, arn, "STOPPED")
	if task.StopCode != types.TaskStopCodeEssentialContainerExited || aws.ToString(task.StoppedReason) == "" {
		t.Errorf("stopped as %s, %q", task.StopCode, aws.ToString(task.StoppedReason))
	}
	w.eventually("its process has ended", func() error {
		if pid := w.first(arn); pid != 0 {
			return fmt.Errorf("process %d is there", pid)
		}
		return nil
	})
}

// shimOf finds the shim that is the parent of a task's first process.
func (w *world) shimOf(id string) int {
	w.t.Helper()
	first := w.first("/" + id)
	out, err := exec.CommandContext(w.t.Context(), "ps", "-o", "ppid=", "-p", strconv.Itoa(first)).Output()
	if err != nil {
		w.t.Fatal(err)
	}
	var shim int
	if _, err := fmt.Sscan(string(out), &shim); err != nil {
		w.t.Fatal(err)
	}
	return shim
}

// TestRuntime takes containerd and an image away.
func TestRuntime(t *testing.T) {
	w := begin(t, installation.Options{})
	t.Run("containerd hangs", w.hung)
	t.Run("the node begins while containerd hangs", w.beginsHung)
	t.Run("an image is deleted underneath", w.imageDeleted)
}

// hung: what runs runs on, the API and the agent answer; what needs containerd waits and is done when it is back.
func (w *world) hung(t *testing.T) {
	runs, stops := w.running(define("runs", idle)), w.running(define("stops", idle))
	before := w.first(runs)
	daemon := w.process("containerd", w.RunDir)
	w.signal(daemon, syscall.SIGSTOP)
	defer w.signal(daemon, syscall.SIGCONT)
	starts := w.Run(t, define("starts", idle))
	if _, err := w.ECS.StopTask(t.Context(), &ecs.StopTaskInput{Task: aws.String(stops)}); err != nil {
		t.Error(err)
	}
	w.while(3*time.Second, func() {
		if s, r := w.status(starts), w.status(runs); s == "RUNNING" || s == "STOPPED" || r != "RUNNING" {
			t.Fatalf("while containerd hangs one that is to start is %s, one that runs %s", s, r)
		}
		out, err := w.ECS.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{Filter: aws.String("agentConnected == true")})
		if err != nil || len(out.ContainerInstanceArns) != 1 {
			t.Fatalf("the agent is not connected: %v", err)
		}
	})
	w.signal(daemon, syscall.SIGCONT)
	w.AwaitTask(t, starts, "RUNNING")
	if task := w.AwaitTask(t, stops, "STOPPED"); aws.ToInt32(task.Containers[0].ExitCode) != 0 {
		t.Errorf("the one that was stopped: exit code %d", aws.ToInt32(task.Containers[0].ExitCode))
	}
	if now := w.first(runs); now != before {
		t.Errorf("process %d became %d", before, now)
	}
	w.stop(starts)
	w.stop(runs)
}

// beginsHung: a node that begins waits for containerd, as long as it takes.
func (w *world) beginsHung(t *testing.T) {
	runs := w.running(define("runs", idle))
	before := w.first(runs)
	daemon := w.process("containerd", w.RunDir)
	w.signal(daemon, syscall.SIGSTOP)
	defer w.signal(daemon, syscall.SIGCONT)
	w.Kill(installation.Node)
	if err := w.Begin(installation.Node); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.Ended(installation.Node):
		t.Errorf("the node gave up:\n%s", w.LastLog(5))
		if err := w.Begin(installation.Node); err != nil {
			t.Fatal(err)
		}
	case <-time.After(3 * time.Second):
	}
	w.signal(daemon, syscall.SIGCONT)
	if err := w.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := w.first(runs); now != before {
		t.Errorf("process %d became %d", before, now)
	}
	w.stop(runs)
}

// imageDeleted: what runs of it runs on; what is to start says that it cannot be pulled, and starts when it is there again.
func (w *world) imageDeleted(t *testing.T) {
	runs := w.running(define("runs", idle))
	before := w.first(runs)
	for _, args := range [][]string{{"images", "rm", "--sync", image}, {"content", "prune", "references"}} {
		ctr := exec.CommandContext(t.Context(), filepath.Join(w.BinDir, "ctr"),
			append([]string{"-a", filepath.Join(w.RunDir, "containerd.sock"), "-n", w.Name}, args...)...)
		if out, err := ctr.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	task := w.AwaitTask(t, w.Run(t, define("starts", idle)), "STOPPED")
	if reason := aws.ToString(task.Containers[0].Reason); task.StopCode != types.TaskStopCodeTaskFailedToStart || !strings.HasPrefix(reason, "CannotPullImageManifestError") {
		t.Errorf("without its image a task is stopped as %s, %q", task.StopCode, reason)
	}
	if now := w.first(runs); now != before {
		t.Errorf("process %d became %d", before, now)
	}
	w.provide(image)
	w.stop(w.running(define("starts", idle)))
	w.stop(runs)
}

func (w *world) signal(pid int, s syscall.Signal) {
	w.t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		w.t.Fatal(err)
	}
}

// while looks again and again for a time.
func (w *world) while(d time.Duration, look func()) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		look()
		<-time.After(100 * time.Millisecond)
	}
}
