package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const mebi = 1 << 20

const outOfMemory = "OutOfMemoryError: Container killed due to memory usage"

// greedy takes 200 MiB and touches all of it.
const greedy = "exec dd if=/dev/zero of=/dev/null bs=200M count=1"

func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		container, task string
		want            string
	}{
		"container's limit": {container: "24", want: outOfMemory},
		"task's limit":      {task: "64", want: outOfMemory},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := script("main", "echo began; "+greedy)
			c.Memory = nil
			if test.container != "" {
				c.Memory = aws.Int32(number(test.container))
			}
			d := define(t, c, script("bystander", idle, optional, func(c *types.ContainerDefinition) { c.Memory = nil; c.MemoryReservation = aws.Int32(8) }))
			if test.task != "" {
				d.Memory = &test.task
			}
			over := finished(t, d)
			main := containerOf(t, over, "main")
			equal(t, "exit code", aws.ToInt32(main.ExitCode), 137)
			equal(t, "reason", aws.ToString(main.Reason), test.want)
			equal(t, "stopCode", over.StopCode, types.TaskStopCodeEssentialContainerExited)
			equal(t, "stoppedReason", aws.ToString(over.StoppedReason), "Essential container in task exited")
			equal(t, "the bystander's reason", aws.ToString(containerOf(t, over, "bystander").Reason), "")
		})
	}
}

// Limits are read where the kernel keeps them.
func TestLimitsAreTheKernels(t *testing.T) {
	t.Parallel()
	c := script("main", idle)
	c.Memory, c.MemoryReservation, c.Cpu = aws.Int32(48), aws.Int32(16), 256
	d := define(t, c)
	d.Cpu, d.Memory = aws.String("512"), aws.String("64")
	task := running(t, d)
	awaitChildren(t, *task.TaskArn, 1)
	pid := pids(t, *task.TaskArn)[0]
	v2 := cgroupVersion2(t, pid)
	for _, f := range []struct {
		what   string
		parent bool
		names  [3]string
		v1, v2 string
	}{
		{"the container's memory", false, [3]string{"memory", "memory.limit_in_bytes", "memory.max"}, text(48 * mebi), text(48 * mebi)},
		{"the container's reservation", false, [3]string{"memory", "memory.soft_limit_in_bytes", "memory.low"}, text(16 * mebi), text(16 * mebi)},
		{"the task's memory", true, [3]string{"memory", "memory.limit_in_bytes", "memory.max"}, text(64 * mebi), text(64 * mebi)},
		{"the task's CPU", true, [3]string{"cpu", "cpu.cfs_quota_us", "cpu.max"}, "50000", "50000 100000"},
	} {
		want := f.v1
		if v2 {
			want = f.v2
		}
		equal(t, f.what, cgroupFile(t, pid, f.parent, f.names), want)
	}
	if !v2 {
		equal(t, "the container's shares", cgroupFile(t, pid, false, [3]string{"cpu", "cpu.shares", "cpu.weight"}), "256")
	}
	shown := containerOf(t, task, "main")
	equal(t, "cpu, memory, memoryReservation", aws.ToString(shown.Cpu)+" "+aws.ToString(shown.Memory)+" "+aws.ToString(shown.MemoryReservation), "256 48 16")
	equal(t, "the task's cpu and memory", aws.ToString(task.Cpu)+" "+aws.ToString(task.Memory), "512 64")
}

// The soft limit, when given, is what placement takes from the instance; the hard one holds all the same.
func TestReservationIsWhatPlacementCounts(t *testing.T) {
	t.Parallel()
	c := script("main", "true")
	c.Memory, c.MemoryReservation = aws.Int32(1<<30), aws.Int32(16)
	equal(t, "lastStatus", aws.ToString(finished(t, define(t, c)).LastStatus), "STOPPED")
	c.MemoryReservation = aws.Int32(1 << 29)
	out, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String(register(t, define(t, c)))})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Failures) != 1 || aws.ToString(out.Failures[0].Reason) != "RESOURCE:MEMORY" {
		t.Errorf("failures %+v, want RESOURCE:MEMORY", out.Failures)
	}
}
