package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// serve creates a service of the test's name, until the test ends.
func serve(t testing.TB, d *ecs.RegisterTaskDefinitionInput, desired int32, change ...func(*ecs.CreateServiceInput)) string {
	t.Helper()
	name := family(t)
	in := &ecs.CreateServiceInput{ServiceName: &name, TaskDefinition: aws.String(register(t, d)), DesiredCount: &desired}
	for _, f := range change {
		f(in)
	}
	if _, err := region.ECS.CreateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = region.ECS.DeleteService(detached(t), &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)})
	})
	return name
}

func percents(minimum, maximum int32) *types.DeploymentConfiguration {
	return &types.DeploymentConfiguration{MinimumHealthyPercent: &minimum, MaximumPercent: &maximum}
}

func service(ctx context.Context, name string) (types.Service, error) {
	return serviceIn(ctx, "default", name)
}

func serviceIn(ctx context.Context, cluster, name string) (types.Service, error) {
	out, err := region.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{name}})
	if err != nil {
		return types.Service{}, err
	}
	if len(out.Services) != 1 {
		return types.Service{}, fmt.Errorf("service %s: %+v", name, out.Failures)
	}
	return out.Services[0], nil
}

// await waits until a service is as cond wants it.
func await(t testing.TB, name, what string, cond func(types.Service) bool) types.Service {
	t.Helper()
	return awaitIn(t, "default", name, what, cond)
}

func awaitIn(t testing.TB, cluster, name, what string, cond func(types.Service) bool) types.Service {
	t.Helper()
	var s types.Service
	installation.Eventually(t, "service "+name+": "+what, func(ctx context.Context) (err error) {
		if s, err = serviceIn(ctx, cluster, name); err != nil {
			return err
		}
		if !cond(s) {
			return fmt.Errorf("desired %d, running %d, pending %d, deployments %s, events %q",
				s.DesiredCount, s.RunningCount, s.PendingCount, deployments(s), sentences(s))
		}
		return nil
	})
	return s
}

func deployments(s types.Service) string {
	var b strings.Builder
	for _, d := range s.Deployments {
		fmt.Fprintf(&b, "[%s %s running %d pending %d failed %d]", aws.ToString(d.Status), d.RolloutState, d.RunningCount, d.PendingCount, d.FailedTasks)
	}
	return b.String()
}

// stable is what AWS's waiter looks for, with as many tasks as desired.
func stable(s types.Service) bool {
	return len(s.Deployments) == 1 && s.RunningCount == s.DesiredCount && s.PendingCount == 0
}

func steady(t testing.TB, name string) types.Service {
	t.Helper()
	return await(t, name, "steady", func(s types.Service) bool {
		return stable(s) && said(s, "has reached a steady state.") && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
}

// sentences are a service's events, newest first.
func sentences(s types.Service) []string {
	var out []string
	for _, e := range s.Events {
		out = append(out, strings.TrimPrefix(aws.ToString(e.Message), "(service "+aws.ToString(s.ServiceName)+") "))
	}
	return out
}

// said says whether the service said a sentence that holds all the parts.
func said(s types.Service, parts ...string) bool {
	for _, sentence := range sentences(s) {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(sentence, part)
		}
		if all {
			return true
		}
	}
	return false
}

// update changes a service.
func update(t testing.TB, in *ecs.UpdateServiceInput) {
	t.Helper()
	if _, err := region.ECS.UpdateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// tasksOf are a service's tasks that should run.
func tasksOf(ctx context.Context, name string) ([]types.Task, error) {
	list, err := region.ECS.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: &name})
	if err != nil || len(list.TaskArns) == 0 {
		return nil, err
	}
	out, err := region.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: list.TaskArns})
	if err != nil {
		return nil, err
	}
	return out.Tasks, nil
}

func mustTasksOf(t testing.TB, name string) []types.Task {
	t.Helper()
	tasks, err := tasksOf(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}
