package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The containers of a task on FARGATE have its memory together, all of it, whatever it runs on; who wants more is ended in AWS's words.
func TestFargateMemoryIsTheTasks(t *testing.T) {
	t.Parallel()
	unlimited := func(c *types.ContainerDefinition) { c.Memory = nil }
	for name, c := range map[string]struct {
		script string
		code   int32
		reason string
	}{
		"all of it": {"exec dd if=/dev/zero of=/dev/null bs=490M count=1", 0, ""},
		"more":      {"exec dd if=/dev/zero of=/dev/null bs=600M count=1", 137, outOfMemory},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := define(t, script("main", c.script, unlimited), script("bystander", idle, optional, unlimited))
			task := region.AwaitTask(t, startFargate(t, d, nil), "STOPPED")
			main := containerOf(t, task, "main")
			equal(t, "exit code", aws.ToInt32(main.ExitCode), c.code)
			equal(t, "reason", aws.ToString(main.Reason), c.reason)
			equal(t, "memory", aws.ToString(task.Memory), "512")
			equal(t, "stopCode", task.StopCode, types.TaskStopCodeEssentialContainerExited)
		})
	}
}
