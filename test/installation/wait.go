package installation

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Patience is how long a test waits for a condition.
const Patience = 60 * time.Second

// patience is shorter for a program that is known to be bad: BERTH_TEST_PATIENCE.
func patience() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("BERTH_TEST_PATIENCE")); err == nil {
		return d
	}
	return Patience
}

// Eventually waits until cond answers nil; its last error is the test's, unless that is only the end of the wait.
func Eventually(t testing.TB, what string, cond func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience())
	defer cancel()
	var last error
	for {
		err := cond(ctx)
		if err == nil {
			return
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			t.Fatalf("%s: %v", what, last)
		}
	}
}

// Task describes one task.
func (i *Installation) Task(ctx context.Context, arn string) (types.Task, error) {
	out, err := i.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: []string{arn}})
	if err != nil {
		return types.Task{}, err
	}
	if len(out.Tasks) != 1 {
		return types.Task{}, fmt.Errorf("task %s: %+v", arn, out.Failures)
	}
	return out.Tasks[0], nil
}

// AwaitTask waits until a task's lastStatus is the given one and answers it.
func (i *Installation) AwaitTask(t testing.TB, arn, status string) types.Task {
	t.Helper()
	var task types.Task
	Eventually(t, "task "+arn, func(ctx context.Context) (err error) {
		if task, err = i.Task(ctx, arn); err != nil {
			return err
		}
		if last := aws.ToString(task.LastStatus); last != status {
			return fmt.Errorf("lastStatus is %s, want %s (%s; %s)", last, status, aws.ToString(task.StoppedReason), reasons(task))
		}
		return nil
	})
	return task
}

func reasons(task types.Task) string {
	var out strings.Builder
	for _, c := range task.Containers {
		fmt.Fprintf(&out, "%s: %s %s ", aws.ToString(c.Name), aws.ToString(c.LastStatus), aws.ToString(c.Reason))
	}
	return out.String()
}

// Run registers the definition, runs one task of it and answers the task's ARN.
func (i *Installation) Run(t testing.TB, d *ecs.RegisterTaskDefinitionInput) string {
	t.Helper()
	reg, err := i.ECS.RegisterTaskDefinition(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return i.RunRegistered(t, &ecs.RunTaskInput{TaskDefinition: reg.TaskDefinition.TaskDefinitionArn})
}

// RunRegistered runs one task and answers its ARN.
func (i *Installation) RunRegistered(t testing.TB, in *ecs.RunTaskInput) string {
	t.Helper()
	out, err := i.ECS.RunTask(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Tasks) != 1 {
		t.Fatalf("RunTask started %d tasks: %+v", len(out.Tasks), out.Failures)
	}
	return aws.ToString(out.Tasks[0].TaskArn)
}
