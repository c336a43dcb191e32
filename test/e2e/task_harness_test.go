package e2e

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// detached is the context of what must be done after a test's own ended.
func detached(t testing.TB) context.Context { return context.WithoutCancel(t.Context()) }

// start runs a task of the definition, until the test ends.
func start(t testing.TB, d *ecs.RegisterTaskDefinitionInput) string {
	t.Helper()
	return startWith(t, &ecs.RunTaskInput{TaskDefinition: aws.String(register(t, d))})
}

func startWith(t testing.TB, in *ecs.RunTaskInput) string {
	t.Helper()
	arn := region.RunRegistered(t, in)
	ends(t, arn)
	return arn
}

// ends stops a task when the test ends.
func ends(t testing.TB, arn string) {
	t.Cleanup(func() {
		_, _ = region.ECS.StopTask(detached(t), &ecs.StopTaskInput{Task: &arn, Reason: aws.String("the test is over")})
	})
}

// running runs a task and waits until it is RUNNING.
func running(t testing.TB, d *ecs.RegisterTaskDefinitionInput) types.Task {
	t.Helper()
	return region.AwaitTask(t, start(t, d), "RUNNING")
}

// finished runs a task and waits until it is STOPPED.
func finished(t testing.TB, d *ecs.RegisterTaskDefinitionInput) types.Task {
	t.Helper()
	return region.AwaitTask(t, start(t, d), "STOPPED")
}

// stop asks a task to stop and waits until it is STOPPED.
func stop(t testing.TB, arn string) types.Task {
	t.Helper()
	if _, err := region.ECS.StopTask(t.Context(), &ecs.StopTaskInput{Task: &arn}); err != nil {
		t.Fatal(err)
	}
	return region.AwaitTask(t, arn, "STOPPED")
}

// output is what a task's container printed, as `berth logs` shows it.
func output(t testing.TB, arn, container string) string {
	t.Helper()
	out, err := region.Command(t.Context(), "logs", arn, container).Output()
	if err != nil {
		t.Fatalf("berth logs: %v", err)
	}
	return string(out)
}

// printed runs one container to its end and answers its output.
func printed(t testing.TB, c types.ContainerDefinition) string {
	t.Helper()
	task := finished(t, define(t, c))
	if code := containerOf(t, task, *c.Name).ExitCode; code == nil {
		t.Fatalf("the container never ran: %s, %s", aws.ToString(task.StoppedReason), aws.ToString(task.Containers[0].Reason))
	}
	return strings.TrimSpace(output(t, *task.TaskArn, *c.Name))
}

func containerOf(t testing.TB, task types.Task, name string) types.Container {
	t.Helper()
	for _, c := range task.Containers {
		if aws.ToString(c.Name) == name {
			return c
		}
	}
	t.Fatalf("the task has no container %s", name)
	return types.Container{}
}

// id is the last part of an ARN.
func id(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func number(s string) int32 {
	n, _ := strconv.Atoi(s)
	return int32(n)
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// awaitContainer waits until a container's lastStatus is the given one.
func awaitContainer(t testing.TB, arn, name, status string) {
	t.Helper()
	installation.Eventually(t, "container "+name, func(ctx context.Context) error {
		task, err := region.Task(ctx, arn)
		if err != nil {
			return err
		}
		if last := aws.ToString(containerOf(t, task, name).LastStatus); last != status {
			return fmt.Errorf("lastStatus is %s, want %s", last, status)
		}
		return nil
	})
}

// awaitChildren waits until a task has so many processes.
func awaitChildren(t testing.TB, arn string, n int) {
	t.Helper()
	installation.Eventually(t, "processes of "+arn, func(context.Context) error {
		if got := pids(t, arn); len(got) < n {
			return fmt.Errorf("there are %d, want %d", len(got), n)
		}
		return nil
	})
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// check is a health check at the shortest interval there is.
func check(command string) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) {
		c.HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", command}, Interval: aws.Int32(5), Retries: aws.Int32(1), Timeout: aws.Int32(2)}
	}
}

func writeFile(t testing.TB, name string) {
	t.Helper()
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
