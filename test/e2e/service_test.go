package e2e

import (
	"errors"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestServiceLivesAndDies(t *testing.T) {
	t.Parallel()
	name := serve(t, define(t, peer("main", "tcp:80")), 2)
	s := steady(t, name)
	if !regexp.MustCompile(`^ecs-svc/[0-9]+$`).MatchString(aws.ToString(s.Deployments[0].Id)) {
		t.Errorf("deployment id %q", aws.ToString(s.Deployments[0].Id))
	}
	first := s.Deployments[0]
	equal(t, "rolloutStateReason", aws.ToString(first.RolloutStateReason), "ECS deployment "+aws.ToString(first.Id)+" completed.")
	if !said(s, "has started 2 tasks: (task ") || !said(s, "(deployment "+aws.ToString(first.Id)+") deployment completed.") {
		t.Errorf("events %q", sentences(s))
	}
	tasks := mustTasksOf(t, name)
	equal(t, "tasks", len(tasks), 2)
	for _, task := range tasks {
		equal(t, "group", aws.ToString(task.Group), "service:"+name)
		equal(t, "startedBy", aws.ToString(task.StartedBy), aws.ToString(first.Id))
		answers(t, "http://127.0.0.1:"+hostPort(t, task, "main", 80), "main")
	}
	resize(t, name, first)
	die(t, name)
}

// resize scales up and down: no new deployment, and AWS's words.
func resize(t *testing.T, name string, first types.Deployment) {
	t.Helper()
	update(t, &ecs.UpdateServiceInput{Service: &name, DesiredCount: aws.Int32(4)})
	s := await(t, name, "four tasks", func(s types.Service) bool { return stable(s) && s.RunningCount == 4 })
	equal(t, "deployment", aws.ToString(s.Deployments[0].Id), aws.ToString(first.Id))
	if !s.Deployments[0].UpdatedAt.After(*first.UpdatedAt) {
		t.Error("the deployment's updatedAt has not moved")
	}
	before := mustTasksOf(t, name)
	update(t, &ecs.UpdateServiceInput{Service: &name, DesiredCount: aws.Int32(1)})
	await(t, name, "one task", func(s types.Service) bool {
		return stable(s) && s.RunningCount == 1 && said(s, "has stopped 3 running tasks: (task ")
	})
	after := mustTasksOf(t, name)
	for _, task := range before {
		if slices.ContainsFunc(after, func(k types.Task) bool { return *k.TaskArn == *task.TaskArn }) {
			continue
		}
		over := region.AwaitTask(t, *task.TaskArn, "STOPPED")
		equal(t, "stopCode", over.StopCode, types.TaskStopCodeServiceSchedulerInitiated)
		equal(t, "stoppedReason", aws.ToString(over.StoppedReason), "Scaling activity initiated by (deployment "+aws.ToString(first.Id)+")")
	}
}

func die(t *testing.T, name string) {
	t.Helper()
	last := mustTasksOf(t, name)[0]
	_, err := region.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: &name})
	if e := (*types.InvalidParameterException)(nil); !errors.As(err, &e) {
		t.Errorf("deleted without force while it has tasks: %v", err)
	}
	out, err := region.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "status", aws.ToString(out.Service.Status), "DRAINING")
	in := &ecs.DescribeServicesInput{Services: []string{name}}
	waiter := ecs.NewServicesInactiveWaiter(region.ECS, func(o *ecs.ServicesInactiveWaiterOptions) { o.MinDelay, o.MaxDelay = time.Second, time.Second })
	if err := waiter.Wait(t.Context(), in, time.Minute); err != nil {
		t.Fatal(err)
	}
	region.AwaitTask(t, *last.TaskArn, "STOPPED")
	list, err := region.ECS.ListServices(t.Context(), &ecs.ListServicesInput{MaxResults: aws.Int32(100)})
	if err != nil || slices.ContainsFunc(list.ServiceArns, func(a string) bool { return id(a) == name }) {
		t.Errorf("%v: an INACTIVE service is listed: %v", err, list.ServiceArns)
	}
	_, err = region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &name, DesiredCount: aws.Int32(1)})
	if e := (*types.ServiceNotActiveException)(nil); !errors.As(err, &e) {
		t.Errorf("update of an INACTIVE service: %v", err)
	}
}

func TestServiceReplacesAContainerThatWasKilled(t *testing.T) {
	t.Parallel()
	name := serve(t, define(t, script("main", idle)), 2)
	steady(t, name)
	before := mustTasksOf(t, name)
	victim := *before[0].TaskArn
	for _, pid := range pids(t, victim) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	over := region.AwaitTask(t, victim, "STOPPED")
	equal(t, "exit code", aws.ToInt32(over.Containers[0].ExitCode), 137)
	equal(t, "stoppedReason", aws.ToString(over.StoppedReason), "Essential container in task exited")
	equal(t, "the container's reason", aws.ToString(over.Containers[0].Reason), "")
	await(t, name, "replaced", func(s types.Service) bool { return stable(s) && s.RunningCount == 2 })
	after := mustTasksOf(t, name)
	if slices.ContainsFunc(after, func(k types.Task) bool { return *k.TaskArn == victim }) || len(after) != 2 {
		t.Errorf("the tasks are %d and include the victim", len(after))
	}
	if !slices.ContainsFunc(after, func(k types.Task) bool { return *k.TaskArn == *before[1].TaskArn }) {
		t.Error("the other task was replaced too")
	}
}

func TestServiceReplacesAnUnhealthyTask(t *testing.T) {
	t.Parallel()
	name := serve(t, define(t, script("main", idle, check("exit 1"))), 1)
	await(t, name, "first task", func(s types.Service) bool { return s.RunningCount == 1 })
	sick := *mustTasksOf(t, name)[0].TaskArn
	over := region.AwaitTask(t, sick, "STOPPED")
	equal(t, "stopCode", over.StopCode, types.TaskStopCodeServiceSchedulerInitiated)
	equal(t, "stoppedReason", aws.ToString(over.StoppedReason), "Task failed container health checks")
	s := await(t, name, "another task", func(s types.Service) bool { return said(s, "(task "+id(sick)+") failed container health checks.") })
	equal(t, "desiredCount", s.DesiredCount, 1)
}

func TestSDKWaiters(t *testing.T) {
	t.Parallel()
	name := serve(t, define(t, script("main", idle)), 1)
	fast := time.Second
	stable := ecs.NewServicesStableWaiter(region.ECS, func(o *ecs.ServicesStableWaiterOptions) { o.MinDelay, o.MaxDelay = fast, fast })
	if err := stable.Wait(t.Context(), &ecs.DescribeServicesInput{Services: []string{name}}, time.Minute); err != nil {
		t.Error(err)
	}
	task := *mustTasksOf(t, name)[0].TaskArn
	in := &ecs.DescribeTasksInput{Tasks: []string{task}}
	up := ecs.NewTasksRunningWaiter(region.ECS, func(o *ecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = fast, fast })
	if err := up.Wait(t.Context(), in, time.Minute); err != nil {
		t.Error(err)
	}
	update(t, &ecs.UpdateServiceInput{Service: &name, DesiredCount: aws.Int32(0)})
	over := ecs.NewTasksStoppedWaiter(region.ECS, func(o *ecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = fast, fast })
	if err := over.Wait(t.Context(), in, time.Minute); err != nil {
		t.Error(err)
	}
}
