package runtimes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

const image = "test.local/probe:1"

// mostProcesses of a task.
const mostProcesses = 400

// world is a region, and the runtime that is asked.
type world struct {
	*installation.Installation
	t       *testing.T
	boxed   bool
	network *types.NetworkConfiguration

	families *atomic.Int32
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, families: new(atomic.Int32)}
	w.Installation = installation.Start(t, installation.Options{Settings: []string{fmt.Sprintf("task-pids-limit=%d", mostProcesses)}})
	if _, err := os.Stat(filepath.Join(w.BinDir, "runsc")); err != nil {
		t.Skip("no gVisor: make sandbox installs it")
	}
	binary := filepath.Join(t.TempDir(), "probe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "./probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build ./probe: %v\n%s", err, out)
	}
	body, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	s, err := images.Busybox(v1.Config{}, images.File{Path: "/bin/probe", Body: body, Mode: 0o755})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Import(t.Context(), image, s); err != nil {
		t.Fatal(err)
	}
	if w.network, err = w.Private(t.Context(), "runtimes"); err != nil {
		t.Fatal(err)
	}
	return w
}

// on is the world as one runtime's tasks see it.
func (w *world) on(t *testing.T, boxed bool) *world {
	t.Helper()
	out := *w
	out.t, out.boxed = t, boxed
	return &out
}

// container runs a script.
func container(name, script string, change ...func(*types.ContainerDefinition)) types.ContainerDefinition {
	c := types.ContainerDefinition{
		Name: &name, Image: aws.String(image), EntryPoint: []string{"sh", "-c"}, Command: []string{script}, Memory: aws.Int32(64), Essential: aws.Bool(false), StopTimeout: aws.Int32(1),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

// start starts a task of 512 MiB.
func (w *world) start(cs []types.ContainerDefinition, change ...func(*ecs.RegisterTaskDefinitionInput)) string {
	w.t.Helper()
	if w.boxed {
		cs[0].DockerLabels = map[string]string{"berth.sandbox": "gvisor"}
	}
	name := fmt.Sprintf("probe-%d", w.families.Add(1))
	in := &ecs.RegisterTaskDefinitionInput{
		Family: &name, ContainerDefinitions: cs, NetworkMode: types.NetworkModeAwsvpc, Memory: aws.String("512"),
	}
	for _, f := range change {
		f(in)
	}
	out, err := w.ECS.RegisterTaskDefinition(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.RunRegistered(w.t, &ecs.RunTaskInput{TaskDefinition: out.TaskDefinition.TaskDefinitionArn, NetworkConfiguration: w.network})
}

// printed runs containers until the one that is asked ends, which is the essential one, and answers what it printed and how it ended.
func (w *world) printed(asked string, cs []types.ContainerDefinition, change ...func(*ecs.RegisterTaskDefinitionInput)) string {
	w.t.Helper()
	for i := range cs {
		cs[i].Essential = aws.Bool(*cs[i].Name == asked)
	}
	arn := w.start(cs, change...)
	return w.said(w.AwaitTask(w.t, arn, "STOPPED"), asked)
}

// said is what a container printed, in one line, and how it ended unless well.
func (w *world) said(task types.Task, name string) string {
	w.t.Helper()
	text, err := w.Command(w.t.Context(), "logs", *task.TaskArn, name).Output()
	if err != nil {
		w.t.Fatalf("berth logs: %v", err)
	}
	out := strings.Fields(string(text))
	c := containerOf(w.t, task, name)
	if c.ExitCode == nil || *c.ExitCode != 0 {
		out = append(out, fmt.Sprintf("exit code %d", aws.ToInt32(c.ExitCode)))
	}
	if c.Reason != nil {
		out = append(out, strings.SplitN(*c.Reason, ":", 2)[0])
	}
	return strings.Join(out, " ")
}

func containerOf(t *testing.T, task types.Task, name string) types.Container {
	t.Helper()
	for _, c := range task.Containers {
		if aws.ToString(c.Name) == name {
			return c
		}
	}
	t.Fatalf("the task has no container %s", name)
	return types.Container{}
}

// machine tells scripts what is the machine's own.
func machine(c *types.ContainerDefinition) {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	memory, _ := os.ReadFile("/proc/meminfo")
	c.Environment = append(c.Environment, variable("BOOT", strings.TrimSpace(string(boot))), variable("MEMORY", strings.Fields(string(memory))[1]))
}

func variable(name, value string) types.KeyValuePair {
	return types.KeyValuePair{Name: &name, Value: &value}
}
