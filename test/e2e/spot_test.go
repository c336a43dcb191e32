package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

// market is a region of a test's own, whose node has room for as many tasks as it has CPUs.
type market struct {
	*installation.Installation
	t       *testing.T
	network *types.NetworkConfiguration
}

func openMarket(t *testing.T) *market {
	t.Helper()
	i := installation.Start(t, installation.Options{Settings: []string{"fargate-storage=400"}})
	image, err := images.Busybox(v1.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Import(t.Context(), "test.local/spot:1", image); err != nil {
		t.Fatal(err)
	}
	s, _, err := i.DefaultSubnet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := &market{Installation: i, t: t, network: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{s}}}}
	_, err = i.ECS.PutClusterCapacityProviders(t.Context(), &ecs.PutClusterCapacityProvidersInput{
		Cluster: aws.String("default"), CapacityProviders: []string{"FARGATE", "FARGATE_SPOT"}, DefaultCapacityProviderStrategy: []types.CapacityProviderStrategyItem{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// define registers a task of one CPU that ends as the script says when it is asked to.
func (m *market) define(family, trap string, patience int32) {
	m.t.Helper()
	_, err := m.ECS.RegisterTaskDefinition(m.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &family, Cpu: aws.String("1024"), Memory: aws.String("2048"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String("test.local/spot:1"), StopTimeout: &patience, EntryPoint: []string{"sh", "-c"},
			Command: []string{trap + "; while :; do sleep 1000 & wait $!; done"},
		}},
	})
	if err != nil {
		m.t.Fatal(err)
	}
}

// room is how many tasks of one CPU the node has room for.
func (m *market) room() int32 {
	m.t.Helper()
	list, err := m.ECS.ListContainerInstances(m.t.Context(), &ecs.ListContainerInstancesInput{})
	if err != nil {
		m.t.Fatal(err)
	}
	out, err := m.ECS.DescribeContainerInstances(m.t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil {
		m.t.Fatal(err)
	}
	for _, r := range out.ContainerInstances[0].RemainingResources {
		if aws.ToString(r.Name) == "CPU" {
			return r.IntegerValue / 1024
		}
	}
	return 0
}

func (m *market) runOn(provider, family string) *ecs.RunTaskOutput {
	m.t.Helper()
	out, err := m.ECS.RunTask(m.t.Context(), &ecs.RunTaskInput{
		TaskDefinition: &family, NetworkConfiguration: m.network,
		CapacityProviderStrategy: []types.CapacityProviderStrategyItem{{CapacityProvider: &provider, Weight: 1}},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// interrupted waits for the end of the task that was interrupted.
func (m *market) interrupted(before map[string]bool) types.Task {
	m.t.Helper()
	var ended types.Task
	installation.Eventually(m.t, "a Spot task ends", func(ctx context.Context) error {
		list, err := m.ECS.ListTasks(ctx, &ecs.ListTasksInput{DesiredStatus: types.DesiredStatusStopped})
		if err != nil {
			return err
		}
		for _, arn := range list.TaskArns {
			if before[arn] {
				continue
			}
			if ended, err = m.Task(ctx, arn); err != nil {
				return err
			}
			if ended.StopCode != types.TaskStopCodeSpotInterruption || aws.ToString(ended.StoppedReason) != "Your Spot Task was interrupted." {
				m.t.Fatalf("task ends with %s: %s", ended.StopCode, aws.ToString(ended.StoppedReason))
			}
			if last := aws.ToString(ended.LastStatus); last != "STOPPED" {
				return fmt.Errorf("it is %s", last)
			}
			before[arn] = true
			return nil
		}
		return errors.New("none does")
	})
	return ended
}

// Spot tasks are asked to end when FARGATE needs their room: by SIGTERM, then after their stopTimeout by SIGKILL. What needed the room finds
// it; a service says what happened, and has its tasks back when there is room.
func TestSpotIsInterrupted(t *testing.T) {
	t.Parallel()
	m := openMarket(t)
	m.define("polite", "trap 'exit 7' TERM", 120)
	m.define("first", "trap 'exit 0' TERM", 2)
	whole, ctx := m.room(), t.Context()
	if whole < 1 {
		t.Skip("the machine has no whole CPU")
	}
	_, err := m.ECS.CreateService(ctx, &ecs.CreateServiceInput{
		ServiceName: aws.String("spare"), TaskDefinition: aws.String("polite"), DesiredCount: &whole, NetworkConfiguration: m.network,
		CapacityProviderStrategy: []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String("FARGATE_SPOT"), Weight: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	service := func(ctx context.Context) (types.Service, error) {
		out, err := m.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{"spare"}})
		if err != nil {
			return types.Service{}, err
		}
		return out.Services[0], nil
	}
	installation.Eventually(t, "Spot has all the room", func(ctx context.Context) error {
		s, err := service(ctx)
		if err == nil && s.RunningCount != whole {
			err = fmt.Errorf("%d of %d run", s.RunningCount, whole)
		}
		return err
	})
	seen := map[string]bool{}
	out := m.runOn("FARGATE", "first")
	if len(out.Tasks) != 0 || len(out.Failures) != 1 || !strings.HasPrefix(aws.ToString(out.Failures[0].Reason), "Capacity is unavailable at this time.") {
		t.Fatalf("there is room: %+v", out)
	}
	if s, err := service(ctx); err != nil || !strings.Contains(messages(s), "Spot Task was interrupted") { // at once: it is a warning
		t.Errorf("the service says nothing (%v):\n%s", err, messages(s))
	}
	if task := m.interrupted(seen); aws.ToInt32(task.Containers[0].ExitCode) != 7 || aws.ToString(task.CapacityProviderName) != "FARGATE_SPOT" {
		t.Errorf("no SIGTERM: %+v", task.Containers[0])
	}
	arn := m.find("FARGATE", "first")
	m.AwaitTask(t, arn, "RUNNING")
	if _, err := m.ECS.DeleteService(ctx, &ecs.DeleteServiceInput{Service: aws.String("spare"), Force: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
}

func messages(s types.Service) string {
	var b strings.Builder
	for _, e := range s.Events {
		fmt.Fprintln(&b, aws.ToString(e.Message))
	}
	return b.String()
}

// find runs a task once there is room for it.
func (m *market) find(provider, family string) (arn string) {
	m.t.Helper()
	installation.Eventually(m.t, "there is room for "+family, func(context.Context) error {
		out := m.runOn(provider, family)
		if len(out.Tasks) == 0 {
			return errors.New(aws.ToString(out.Failures[0].Reason))
		}
		arn = aws.ToString(out.Tasks[0].TaskArn)
		return nil
	})
	return arn
}
