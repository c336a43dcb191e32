package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// stamp appends a word to a file that all containers of a task share; lines come in the order of the writes.
func stamp(word string) string { return "echo " + word + " >> /order/log; " }

var order = mount("order", "/order", false)

// ordered runs containers that stamp a shared file, behind an essential one that prints it.
func withOrder(t *testing.T, cs ...types.ContainerDefinition) (words func(types.Task) string, d []types.ContainerDefinition) {
	t.Helper()
	for i := range cs {
		order(&cs[i])
	}
	return func(task types.Task) string {
		return strings.Join(strings.Fields(output(t, *task.TaskArn, "last")), " ")
	}, cs
}

var orderVolume = []types.Volume{{Name: aws.String("order")}}

func TestDependsOnOrdersStarts(t *testing.T) {
	t.Parallel()
	words, cs := withOrder(t,
		script("last", "cat /order/log", depends("b", types.ContainerConditionSuccess), depends("d", types.ContainerConditionHealthy)),
		script("d", stamp("d")+"touch /ok; "+idle, depends("c", types.ContainerConditionStart), optional, check("test -e /ok")),
		script("c", stamp("c")+idle, depends("b", types.ContainerConditionComplete), optional),
		script("b", stamp("b"), depends("a", types.ContainerConditionComplete), optional),
		script("a", stamp("a")+"exit 3", optional),
	)
	d := define(t, cs...)
	d.Volumes = orderVolume
	task := finished(t, d)
	equal(t, "order of starts", words(task), "a b c d")
	equal(t, "exit code of a", aws.ToInt32(containerOf(t, task, "a").ExitCode), 3)
	equal(t, "health of d when it was over", task.StopCode, types.TaskStopCodeEssentialContainerExited)
}

func TestDependsOnOrdersStopsInReverse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	onTerm := func(word string) string {
		return "trap '" + stamp(word) + "exit 0' TERM; while :; do sleep 1000 & wait; done"
	}
	d := define(t,
		script("db", onTerm("db"), order),
		script("app", onTerm("app"), order, depends("db", types.ContainerConditionStart)),
		script("proxy", onTerm("proxy"), order, depends("app", types.ContainerConditionStart)),
	)
	d.Volumes = []types.Volume{{Name: aws.String("order"), Host: &types.HostVolumeProperties{SourcePath: &dir}}}
	task := running(t, d)
	awaitChildren(t, *task.TaskArn, 6) // each shell has its sleep: the traps are set
	stop(t, *task.TaskArn)
	equal(t, "order of stops", strings.Join(strings.Fields(readFile(t, dir+"/log")), " "), "proxy app db")
}

func TestDependencyThatFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first  types.ContainerDefinition
		on     types.ContainerCondition
		reason string
	}{
		"no success": {script("first", "exit 1", optional), types.ContainerConditionSuccess, "did not exit successfully"},
		"startTimeout": {script("first", idle, optional, func(c *types.ContainerDefinition) { c.StartTimeout = aws.Int32(2) }),
			types.ContainerConditionComplete, "has timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := finished(t, define(t, test.first, script("main", "true", depends("first", test.on))))
			equal(t, "stopCode", task.StopCode, types.TaskStopCodeTaskFailedToStart)
			if reason := aws.ToString(task.StoppedReason); !strings.Contains(reason, test.reason) {
				t.Errorf("stoppedReason is %q, want it to say %q", reason, test.reason)
			}
			if code := containerOf(t, task, "main").ExitCode; code != nil {
				t.Errorf("main ran: exit code %d", *code)
			}
		})
	}
}

func TestStopTimeoutEndsInSIGKILL(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, script("main", "trap 'echo ignored' TERM; while :; do sleep 1000 & wait; done", func(c *types.ContainerDefinition) {
		c.StopTimeout = aws.Int32(2)
	})))
	awaitChildren(t, *task.TaskArn, 2)
	begin := time.Now()
	over := stop(t, *task.TaskArn)
	if took := time.Since(begin); took < 2*time.Second {
		t.Errorf("killed after %s, before its stopTimeout", took)
	}
	equal(t, "exit code", aws.ToInt32(containerOf(t, over, "main").ExitCode), 137)
	equal(t, "output", output(t, *task.TaskArn, "main"), "ignored\n")
}

func TestContainerThatIsNotEssentialMayEnd(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, script("main", idle), script("side", "exit 5", optional)))
	awaitContainer(t, *task.TaskArn, "side", "STOPPED")
	now := region.AwaitTask(t, *task.TaskArn, "RUNNING")
	equal(t, "exit code", aws.ToInt32(containerOf(t, now, "side").ExitCode), 5)
	equal(t, "main", aws.ToString(containerOf(t, now, "main").LastStatus), "RUNNING")
	equal(t, "desiredStatus", aws.ToString(now.DesiredStatus), "RUNNING")
}

func TestEssentialContainerEndsTheOthers(t *testing.T) {
	t.Parallel()
	over := finished(t, define(t, script("main", "exit 0"), script("side", idle), script("late", idle, optional)))
	equal(t, "stopCode", over.StopCode, types.TaskStopCodeEssentialContainerExited)
	for _, c := range over.Containers {
		equal(t, *c.Name, aws.ToString(c.LastStatus), "STOPPED")
	}
}
