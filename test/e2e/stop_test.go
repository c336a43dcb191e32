package e2e

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestStopTask(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given *string
		want  string
	}{
		"no reason": {nil, "Task stopped by user"},
		"a reason":  {aws.String("enough"), "enough"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arn := startWith(t, &ecs.RunTaskInput{TaskDefinition: aws.String(register(t, define(t, script("main", idle)))),
				Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
			region.AwaitTask(t, arn, "RUNNING")
			awaitChildren(t, arn, 2)
			equal(t, "tags", len(tagsOf(t, arn)), 1)
			stopped, err := region.ECS.StopTask(t.Context(), &ecs.StopTaskInput{Task: aws.String(id(arn)), Reason: test.given})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "desiredStatus at once", aws.ToString(stopped.Task.DesiredStatus), "STOPPED")
			task := region.AwaitTask(t, arn, "STOPPED")
			equal(t, "stopCode", task.StopCode, types.TaskStopCodeUserInitiated)
			equal(t, "stoppedReason", aws.ToString(task.StoppedReason), test.want)
			equal(t, "exit code", aws.ToInt32(task.Containers[0].ExitCode), 0)
			described, err := region.ECS.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}, Include: []types.TaskField{types.TaskFieldTags}})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "tags after the stop", len(described.Tasks[0].Tags), 0)
			inOrder(t, map[string]*time.Time{"startedAt": task.StartedAt, "stoppingAt": task.StoppingAt, "executionStoppedAt": task.ExecutionStoppedAt,
				"stoppedAt": task.StoppedAt}, "startedAt", "stoppingAt", "executionStoppedAt", "stoppedAt")
			if left := pids(t, arn); len(left) != 0 {
				t.Errorf("processes %v outlive the task", left)
			}
			again, err := region.ECS.StopTask(t.Context(), &ecs.StopTaskInput{Task: &arn, Reason: aws.String("other")})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "reason after a second stop", aws.ToString(again.Task.StoppedReason), test.want)
		})
	}
}

func TestStopOfATaskThatIsNot(t *testing.T) {
	t.Parallel()
	_, err := region.ECS.StopTask(t.Context(), &ecs.StopTaskInput{Task: aws.String("00000000000000000000000000000000")})
	if e := (*types.InvalidParameterException)(nil); !errors.As(err, &e) || e.ErrorMessage() != "The referenced task was not found." {
		t.Errorf("%v", err)
	}
}

func TestDescribeTasksTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	const missing = "arn:aws:ecs:us-east-1:000000000000:task/default/00000000000000000000000000000000"
	task := finished(t, define(t, script("main", "true")))
	out, err := region.ECS.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{missing, id(*task.TaskArn)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Tasks) != 1 || len(out.Failures) != 1 {
		t.Fatalf("%d tasks, failures %+v", len(out.Tasks), out.Failures)
	}
	equal(t, "failure", aws.ToString(out.Failures[0].Reason)+" "+aws.ToString(out.Failures[0].Arn), "MISSING "+missing)
	equal(t, "the stopped task", aws.ToString(out.Tasks[0].LastStatus), "STOPPED")
}

func TestListTasksFilters(t *testing.T) {
	t.Parallel()
	def := register(t, define(t, script("main", idle)))
	up := startWith(t, &ecs.RunTaskInput{TaskDefinition: &def, StartedBy: aws.String("list-one")})
	over := startWith(t, &ecs.RunTaskInput{TaskDefinition: &def, StartedBy: aws.String("list-two")})
	task := region.AwaitTask(t, up, "RUNNING")
	region.AwaitTask(t, over, "RUNNING")
	stop(t, over)
	fam := aws.String(family(t))
	for name, test := range map[string]struct {
		in   ecs.ListTasksInput
		want []string
	}{
		"family":              {ecs.ListTasksInput{Family: fam}, []string{up}},
		"family and STOPPED":  {ecs.ListTasksInput{Family: fam, DesiredStatus: types.DesiredStatusStopped}, []string{over}},
		"startedBy":           {ecs.ListTasksInput{StartedBy: aws.String("list-one")}, []string{up}},
		"startedBy of no one": {ecs.ListTasksInput{StartedBy: aws.String("list-three")}, nil},
		"family and instance": {ecs.ListTasksInput{Family: fam, ContainerInstance: task.ContainerInstanceArn}, []string{up}},
		"family and EC2":      {ecs.ListTasksInput{Family: fam, LaunchType: types.LaunchTypeEc2}, []string{up}},
		"family and EXTERNAL": {ecs.ListTasksInput{Family: fam, LaunchType: types.LaunchTypeExternal}, nil},
		"family and PENDING":  {ecs.ListTasksInput{Family: fam, DesiredStatus: types.DesiredStatusPending}, nil},
		"family that is not":  {ecs.ListTasksInput{Family: aws.String("no-such-family")}, nil},
		"service that is not": {ecs.ListTasksInput{ServiceName: aws.String("no-such-service")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := region.ECS.ListTasks(t.Context(), &test.in)
			if name == "service that is not" {
				if e := (*types.ServiceNotFoundException)(nil); !errors.As(err, &e) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(out.TaskArns, test.want) && len(out.TaskArns)+len(test.want) > 0 {
				t.Errorf("tasks %v, want %v", out.TaskArns, test.want)
			}
		})
	}
}

func TestListTasksPagesShowEachTaskOnce(t *testing.T) {
	t.Parallel()
	def := register(t, define(t, script("main", idle)))
	out, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &def, Count: aws.Int32(5)})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range out.Tasks {
		ends(t, *task.TaskArn)
	}
	seen := map[string]int{}
	for p := ecs.NewListTasksPaginator(region.ECS, &ecs.ListTasksInput{Family: aws.String(family(t)), MaxResults: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, arn := range page.TaskArns {
			seen[arn]++
		}
	}
	equal(t, "tasks on the pages", strconv.Itoa(len(seen)), "5")
}
