package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// awaitHealth waits until a running task's health is the given one.
func awaitHealth(t testing.TB, arn string, want types.HealthStatus) types.Task {
	t.Helper()
	var task types.Task
	installation.Eventually(t, "health of "+arn, func(ctx context.Context) (err error) {
		if task, err = region.Task(ctx, arn); err != nil {
			return err
		}
		if task.HealthStatus != want {
			return fmt.Errorf("healthStatus is %s, want %s", task.HealthStatus, want)
		}
		return nil
	})
	return task
}

func TestHealthIsWhatTheCheckFinds(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, script("main", "touch /ok; "+idle, check(`test -e /ok && test "$E" = 1 && test "$(id -un)" = app`), user("app"),
		func(c *types.ContainerDefinition) {
			c.EntryPoint = []string{"sh", "-c"}
			c.Command = []string{"touch /tmp/ok; " + idle}
			c.HealthCheck.Command = []string{"CMD-SHELL", `test -e /tmp/ok && test "$E" = 1 && test "$(id -un)" = app`}
			c.Environment = []types.KeyValuePair{{Name: aws.String("E"), Value: aws.String("1")}}
		}), script("unchecked", idle, optional)))
	equal(t, "health before the first check", task.HealthStatus, types.HealthStatusUnknown)
	task = awaitHealth(t, *task.TaskArn, types.HealthStatusHealthy)
	equal(t, "the container's health", containerOf(t, task, "main").HealthStatus, types.HealthStatusHealthy)
	equal(t, "health without a check", containerOf(t, task, "unchecked").HealthStatus, types.HealthStatusUnknown)
}

func TestHealthOfAStandaloneTaskEndsNothing(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, script("main", idle, check("exit 1"))))
	task = awaitHealth(t, *task.TaskArn, types.HealthStatusUnhealthy)
	equal(t, "lastStatus", aws.ToString(task.LastStatus), "RUNNING")
	equal(t, "desiredStatus", aws.ToString(task.DesiredStatus), "RUNNING")
}

// A check that hangs is killed and counts as failed; its process does not stay.
func TestHealthCheckThatHangs(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, script("main", idle, check("sleep 4000"))))
	awaitHealth(t, *task.TaskArn, types.HealthStatusUnhealthy)
}

func TestEssentialContainersHealthIsTheTasks(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, script("good", idle, check("true")), script("bad", idle, check("false"), optional)))
	task = awaitHealth(t, *task.TaskArn, types.HealthStatusHealthy)
	installation.Eventually(t, "health of the other", func(ctx context.Context) (err error) {
		if task, err = region.Task(ctx, *task.TaskArn); err != nil {
			return err
		}
		if h := containerOf(t, task, "bad").HealthStatus; h != types.HealthStatusUnhealthy {
			return fmt.Errorf("it is %s", h)
		}
		return nil
	})
	equal(t, "the task's health", task.HealthStatus, types.HealthStatusHealthy)
}
