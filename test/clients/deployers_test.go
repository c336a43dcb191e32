package clients

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// stable is the SDK's own waiter, which ecspresso and the GitHub action use, impatient.
func stable(t *testing.T, name string) {
	t.Helper()
	waiter := ecs.NewServicesStableWaiter(region.ECS, func(o *ecs.ServicesStableWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 100*time.Millisecond
	})
	if err := waiter.Wait(t.Context(), &ecs.DescribeServicesInput{Services: []string{name}}, installation.Patience); err != nil {
		t.Fatal(err)
	}
}

// ecspresso deploy, wait --until=deployed, rollback.
func TestEcspresso(t *testing.T) {
	t.Parallel()
	const name = "ecspresso"
	first := revision(t, name, sleeps)
	clearService(t, name)
	must[ecs.CreateServiceOutput](t)(region.ECS.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: aws.String(name), TaskDefinition: &first, DesiredCount: aws.Int32(1)}))
	stable(t, name)

	second := revision(t, name, sleeps)
	// It updates the service's attributes first, then the task definition.
	must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String(name),
		DeploymentConfiguration: &types.DeploymentConfiguration{MaximumPercent: aws.Int32(200), MinimumHealthyPercent: aws.Int32(100)},
		PlacementConstraints:    []types.PlacementConstraint{}, PlacementStrategy: []types.PlacementStrategy{}}))
	must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String(name), TaskDefinition: &second, ForceNewDeployment: false}))
	deployed(t, name, second)
	stable(t, name)
	if s := describe(t, name); aws.ToString(primary(s).TaskDefinition) != second || s.RunningCount != 1 {
		t.Errorf("primary %+v", primary(s))
	}

	// It rolls back to the newest revision before the one that runs, then deregisters that.
	listed := must[ecs.ListTaskDefinitionsOutput](t)(region.ECS.ListTaskDefinitions(t.Context(),
		&ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String(name), Sort: types.SortOrderDesc, Status: types.TaskDefinitionStatusActive})).TaskDefinitionArns
	at := slices.Index(listed, second)
	if at < 0 || at+1 >= len(listed) || listed[at+1] != first {
		t.Fatalf("revisions %v", listed)
	}
	must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String(name), TaskDefinition: &listed[at+1]}))
	deployed(t, name, first)
	stable(t, name)
	must[ecs.DeregisterTaskDefinitionOutput](t)(region.ECS.DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &second}))
	if s := describe(t, name); aws.ToString(s.TaskDefinition) != first {
		t.Errorf("runs %s", aws.ToString(s.TaskDefinition))
	}
}

// deployed waits for the service deployment that goes on, if any, and confirms what the PRIMARY deployment runs.
func deployed(t *testing.T, name, definition string) {
	t.Helper()
	active := must[ecs.ListServiceDeploymentsOutput](t)(region.ECS.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Service: &name,
		Status: []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress}}))
	for _, b := range active.ServiceDeployments {
		d := finishes(t, *b.ServiceDeploymentArn)
		if d.Status != types.ServiceDeploymentStatusSuccessful || d.LifecycleStage != "" {
			t.Errorf("%s in stage %q: %s", d.Status, d.LifecycleStage, aws.ToString(d.StatusReason))
		}
	}
	if got := aws.ToString(primary(describe(t, name)).TaskDefinition); got != definition {
		t.Errorf("the primary deployment runs %s, not %s", got, definition)
	}
}

// What amazon-ecs-deploy-task-definition does: it strips a described definition, registers it, looks at the service's controller, updates,
// forces a new deployment, waits; then it runs a one-off task and waits for that.
func TestGitHubAction(t *testing.T) {
	t.Parallel()
	const name = "action"
	first := revision(t, name, sleeps)
	clearService(t, name)
	must[ecs.CreateServiceOutput](t)(region.ECS.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: aws.String(name), TaskDefinition: &first, DesiredCount: aws.Int32(1)}))
	stable(t, name)

	described := must[ecs.DescribeTaskDefinitionOutput](t)(region.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &first})).TaskDefinition
	again := must[ecs.RegisterTaskDefinitionOutput](t)(region.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: described.Family, ContainerDefinitions: described.ContainerDefinitions, Volumes: described.Volumes, PlacementConstraints: described.PlacementConstraints}))
	definition := again.TaskDefinition.TaskDefinitionArn

	s := describe(t, name)
	if s.DeploymentController != nil {
		t.Errorf("deploymentController %+v: the action's first version takes any but CODE_DEPLOY for unsupported", s.DeploymentController)
	}
	for _, force := range []bool{false, true} {
		was := describe(t, name)
		tasks := tasksOf(t, name)
		must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String(name), TaskDefinition: definition, ForceNewDeployment: force}))
		stable(t, name)
		is := describe(t, name)
		if aws.ToString(is.Deployments[0].Id) == aws.ToString(was.Deployments[0].Id) || aws.ToString(is.TaskDefinition) != *definition {
			t.Errorf("forced %v: deployment %s, runs %s", force, aws.ToString(is.Deployments[0].Id), aws.ToString(is.TaskDefinition))
		}
		for _, task := range tasksOf(t, name) {
			if slices.Contains(tasks, task) {
				t.Errorf("forced %v: task %s was not replaced", force, task)
			}
		}
	}
	ranOnce(t, *definition)
}

func tasksOf(t *testing.T, service string) []string {
	t.Helper()
	return must[ecs.ListTasksOutput](t)(region.ECS.ListTasks(t.Context(), &ecs.ListTasksInput{ServiceName: &service})).TaskArns
}

// ranOnce runs a task beside the service and waits with the SDK's waiters.
func ranOnce(t *testing.T, definition string) {
	t.Helper()
	run := must[ecs.RunTaskOutput](t)(region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &definition, StartedBy: aws.String("GitHub-Actions"),
		Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("main"), Command: []string{"exit 5"}}}}}))
	in := &ecs.DescribeTasksInput{Tasks: []string{*run.Tasks[0].TaskArn}}
	waiter := ecs.NewTasksStoppedWaiter(region.ECS, func(o *ecs.TasksStoppedWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 100*time.Millisecond
	})
	out, err := waiter.WaitForOutput(t.Context(), in, installation.Patience)
	if err != nil {
		t.Fatal(err)
	}
	if c := out.Tasks[0].Containers[0]; aws.ToInt32(c.ExitCode) != 5 {
		t.Errorf("exit code %v", c.ExitCode)
	}
}

// Waiters fail at once on what can never become true.
func TestWaitersGiveUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), installation.Patience)
	defer cancel()
	err := ecs.NewServicesStableWaiter(region.ECS).Wait(ctx, &ecs.DescribeServicesInput{Services: []string{"nobody"}}, time.Hour)
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("services stable: %v", err)
	}
	missing := "00000000000000000000000000000000"
	err = ecs.NewTasksRunningWaiter(region.ECS).Wait(ctx, &ecs.DescribeTasksInput{Tasks: []string{missing}}, time.Hour)
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("tasks running: %v", err)
	}
}

// A newer SDK sends members of the circuit breaker that this model does not know: they are ignored, the rest counts.
func TestNewerMembersOfTheCircuitBreaker(t *testing.T) {
	t.Parallel()
	const name = "newer"
	definition := revision(t, name, sleeps)
	clearService(t, name)
	a := request{operation: "CreateService", body: `{"serviceName": "` + name + `", "taskDefinition": "` + definition + `", "desiredCount": 0, "deploymentConfiguration":
		{"deploymentCircuitBreaker": {"enable": true, "rollback": true, "resetOnHealthyTask": false, "thresholdConfiguration": {"type": "COUNT", "value": 7}}}}`}.send(t)
	if a.status != 200 {
		t.Fatalf("%d %s %s", a.status, a.code, a.message)
	}
	if b := describe(t, name).DeploymentConfiguration.DeploymentCircuitBreaker; !b.Enable || !b.Rollback {
		t.Errorf("%+v", b)
	}
}
