package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

func TestMain(m *testing.M) {
	code := m.Run()
	installation.Discard()
	os.Exit(code)
}

const image = "test.local/faults:1"

// world is an installation and its image.
type world struct {
	*installation.Installation
	t *testing.T
}

func begin(t *testing.T, o installation.Options) *world {
	t.Helper()
	o.Split = true
	w := &world{installation.Start(t, o), t}
	w.provide(image)
	return w
}

// provide makes an image known to the node.
func (w *world) provide(ref string) {
	w.t.Helper()
	spec, err := images.Busybox(v1.Config{})
	if err == nil {
		err = w.Import(w.t.Context(), ref, spec)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// idle runs until it is told to end.
const idle = `trap 'exit 0' TERM; sleep 1000000 & wait`

// define makes a definition of one container that runs a script.
func define(family, script string) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), NetworkMode: types.NetworkModeBridge,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(image), Memory: aws.Int32(64), StopTimeout: aws.Int32(2),
			EntryPoint: []string{"sh", "-c"}, Command: []string{script},
		}},
	}
}

// running starts a task and waits until it runs.
func (w *world) running(d *ecs.RegisterTaskDefinitionInput) string {
	w.t.Helper()
	arn := w.Run(w.t, d)
	w.AwaitTask(w.t, arn, "RUNNING")
	return arn
}

// stop stops a task and waits until it has.
func (w *world) stop(arn string) types.Task {
	w.t.Helper()
	if _, err := w.ECS.StopTask(w.t.Context(), &ecs.StopTaskInput{Task: aws.String(arn)}); err != nil {
		w.t.Fatal(err)
	}
	return w.AwaitTask(w.t, arn, "STOPPED")
}

// status is a task's now.
func (w *world) status(arn string) string {
	w.t.Helper()
	task, err := w.Task(w.t.Context(), arn)
	if err != nil {
		w.t.Fatal(err)
	}
	return aws.ToString(task.LastStatus)
}

// process finds a process of the installation by its program and, in its arguments, a text.
func (w *world) process(program, argument string) int {
	w.t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")) // it may be gone by now
		first, rest, _ := strings.Cut(string(line), "\x00")
		if filepath.Base(first) == program && strings.Contains(rest, argument) {
			return pid
		}
	}
	w.t.Fatalf("there is no %s with %q", program, argument)
	return 0
}

// first is the first process of a task's container, seen from the machine.
func (w *world) first(arn string) int {
	w.t.Helper()
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	entries, err := os.ReadDir("/proc")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		cgroup, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cgroup"))
		status, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "status"))
		if strings.Contains(string(cgroup), "/"+id+"/") && strings.Contains(string(status), fmt.Sprintf("NSpid:\t%d\t1\n", pid)) {
			return pid
		}
	}
	return 0
}

// eventually waits for a condition.
func (w *world) eventually(what string, cond func() error) {
	w.t.Helper()
	installation.Eventually(w.t, what, func(context.Context) error { return cond() })
}

// memory is the most that a process had resident, or has anonymously now, in MiB.
func memory(t *testing.T, pid int, field string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), field+":")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib >> 10
}
