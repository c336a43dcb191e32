package e2e

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestTaskRunsAndReportsItsExitCode(t *testing.T) {
	t.Parallel()
	task := finished(t, define(t, script("main", "exit 7")))
	equal(t, "stopCode", task.StopCode, types.TaskStopCodeEssentialContainerExited)
	equal(t, "stoppedReason", aws.ToString(task.StoppedReason), "Essential container in task exited")
	equal(t, "exit code", aws.ToInt32(task.Containers[0].ExitCode), 7)
	equal(t, "group", aws.ToString(task.Group), "family:"+family(t))
	equal(t, "launchType", task.LaunchType, types.LaunchTypeEc2)
	equal(t, "availabilityZone", aws.ToString(task.AvailabilityZone), "us-east-1a")
	equal(t, "connectivity", task.Connectivity, types.ConnectivityConnected)
	inOrder(t, map[string]*time.Time{"createdAt": task.CreatedAt, "pullStartedAt": task.PullStartedAt, "pullStoppedAt": task.PullStoppedAt,
		"startedAt": task.StartedAt, "executionStoppedAt": task.ExecutionStoppedAt, "stoppedAt": task.StoppedAt},
		"createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "executionStoppedAt", "stoppedAt")
}

func inOrder(t testing.TB, at map[string]*time.Time, names ...string) {
	t.Helper()
	for i, name := range names {
		switch {
		case at[name] == nil:
			t.Errorf("%s is missing", name)
		case i > 0 && at[names[i-1]] != nil && at[name].Before(*at[names[i-1]]):
			t.Errorf("%s %s is before %s %s", name, at[name], names[i-1], at[names[i-1]])
		}
	}
}

func TestRunTaskWithOverridesTagsAndNames(t *testing.T) {
	t.Parallel()
	d := define(t, script("main", `echo "$A $B $1"`))
	d.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("old")}, {Name: aws.String("B"), Value: aws.String("kept")}}
	d.Tags = []types.Tag{{Key: aws.String("from"), Value: aws.String("definition")}, {Key: aws.String("both"), Value: aws.String("definition")}}
	out, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{
		TaskDefinition: aws.String(register(t, d)), Count: aws.Int32(3), Group: aws.String("batch:night"), StartedBy: aws.String("cron"),
		ReferenceId: aws.String("ref-1"), PropagateTags: types.PropagateTagsTaskDefinition, EnableECSManagedTags: true,
		Tags: []types.Tag{{Key: aws.String("both"), Value: aws.String("task")}},
		Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{
			Name: aws.String("main"), Command: []string{`echo "$A $B $0"`, "word"}, Memory: aws.Int32(40), MemoryReservation: aws.Int32(20), Cpu: aws.Int32(128),
			Environment: []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("new")}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Tasks) != 3 {
		t.Fatalf("%d tasks, failures %+v", len(out.Tasks), out.Failures)
	}
	for _, started := range out.Tasks {
		equal(t, "first lastStatus", aws.ToString(started.LastStatus), "PENDING")
		task := region.AwaitTask(t, *started.TaskArn, "STOPPED")
		equal(t, "output", output(t, *task.TaskArn, "main"), "new kept word\n")
		equal(t, "group", aws.ToString(task.Group), "batch:night")
		equal(t, "startedBy", aws.ToString(task.StartedBy), "cron")
		main := containerOf(t, task, "main")
		equal(t, "resources", aws.ToString(main.Cpu)+" "+aws.ToString(main.Memory)+" "+aws.ToString(main.MemoryReservation), "128 40 20")
		equal(t, "overridden command", len(task.Overrides.ContainerOverrides[0].Command), 2)
		tags := tagsOf(t, *task.TaskArn)
		equal(t, "tag of the definition", tags["from"], "definition")
		equal(t, "tag of both", tags["both"], "task")
		equal(t, "managed tag", tags["aws:ecs:clusterName"], "default")
	}
}

// tagsOf are a task's tags. Of a task that ended by itself they are still shown; only StopTask takes them.
func tagsOf(t testing.TB, arn string) map[string]string {
	t.Helper()
	out, err := region.ECS.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}, Include: []types.TaskField{types.TaskFieldTags}})
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{}
	for _, tag := range out.Tasks[0].Tags {
		tags[*tag.Key] = *tag.Value
	}
	return tags
}

func TestRunTaskThatHasNoPlaceSaysWhy(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	holder := peer("main", "tcp:80")
	holder.PortMappings = []types.PortMapping{mapping(80, port, types.TransportProtocolTcp)}
	running(t, define(t, holder))
	for reason, change := range map[string]func(*types.ContainerDefinition){
		"RESOURCE:CPU":    func(c *types.ContainerDefinition) { c.Cpu = 1 << 20 },
		"RESOURCE:MEMORY": func(c *types.ContainerDefinition) { c.Memory = aws.Int32(1 << 28) },
		"RESOURCE:PORTS":  func(c *types.ContainerDefinition) { c.PortMappings = holder.PortMappings },
	} {
		t.Run(reason, func(t *testing.T) {
			out, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String(register(t, define(t, script("main", "true", change))))})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Tasks) != 0 || len(out.Failures) != 1 || aws.ToString(out.Failures[0].Reason) != reason {
				t.Errorf("%d tasks, failures %+v", len(out.Tasks), out.Failures)
			}
		})
	}
}

func TestRunTaskInAClusterWithoutInstances(t *testing.T) {
	t.Parallel()
	name := family(t)
	if _, err := region.ECS.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: &name}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = region.ECS.DeleteCluster(detached(t), &ecs.DeleteClusterInput{Cluster: &name}) })
	_, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{Cluster: &name, TaskDefinition: aws.String(register(t, define(t, script("main", "true"))))})
	if e := (*types.InvalidParameterException)(nil); !errors.As(err, &e) || e.ErrorMessage() != "No Container Instances were found in your cluster." {
		t.Errorf("%v", err)
	}
}

func TestStartTask(t *testing.T) {
	t.Parallel()
	instances, err := region.ECS.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{})
	if err != nil {
		t.Fatal(err)
	}
	arn := instances.ContainerInstanceArns[0]
	missing := arn[:len(arn)-32] + "00000000000000000000000000000000"
	out, err := region.ECS.StartTask(t.Context(), &ecs.StartTaskInput{
		TaskDefinition: aws.String(register(t, define(t, script("main", "echo placed")))), ContainerInstances: []string{arn, missing},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Tasks) != 1 || len(out.Failures) != 1 || aws.ToString(out.Failures[0].Reason) != "MISSING" {
		t.Fatalf("%d tasks, failures %+v", len(out.Tasks), out.Failures)
	}
	task := region.AwaitTask(t, *out.Tasks[0].TaskArn, "STOPPED")
	equal(t, "containerInstanceArn", aws.ToString(task.ContainerInstanceArn), arn)
	equal(t, "output", output(t, *task.TaskArn, "main"), "placed\n")
}

func TestRunTaskTokenStartsOneTask(t *testing.T) {
	t.Parallel()
	in := &ecs.RunTaskInput{TaskDefinition: aws.String(register(t, define(t, script("main", idle)))), ClientToken: aws.String(family(t)), StartedBy: aws.String("token")}
	first := startWith(t, in)
	equal(t, "the task of the same call", region.RunRegistered(t, in), first)
	in.Count = aws.Int32(2)
	_, err := region.ECS.RunTask(t.Context(), in)
	e := (*types.ConflictException)(nil)
	if !errors.As(err, &e) || !slices.Contains(e.ResourceIds, first) {
		t.Errorf("%v", err)
	}
	list, err := region.ECS.ListTasks(t.Context(), &ecs.ListTasksInput{StartedBy: aws.String("token")})
	if err != nil || len(list.TaskArns) != 1 {
		t.Errorf("%v, tasks %v", err, list.TaskArns)
	}
}
