package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestTaskRunsAndReportsItsExitCode(t *testing.T) {
	t.Parallel()
	arn := region.Run(t, shell("exit", "exit 7"))
	task := region.AwaitTask(t, arn, "STOPPED")
	if task.StopCode != types.TaskStopCodeEssentialContainerExited || aws.ToString(task.StoppedReason) != "Essential container in task exited" {
		t.Errorf("stopped with %s, %q", task.StopCode, aws.ToString(task.StoppedReason))
	}
	if c := task.Containers[0]; aws.ToInt32(c.ExitCode) != 7 {
		t.Errorf("exit code %d, want 7", aws.ToInt32(c.ExitCode))
	}
	for name, at := range map[string]bool{
		"createdAt": task.CreatedAt != nil, "pullStartedAt": task.PullStartedAt != nil, "pullStoppedAt": task.PullStoppedAt != nil,
		"startedAt": task.StartedAt != nil, "executionStoppedAt": task.ExecutionStoppedAt != nil, "stoppedAt": task.StoppedAt != nil,
	} {
		if !at {
			t.Errorf("%s is missing", name)
		}
	}
}
