package balancing

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// define registers a definition of the peer that gives an answer.
func define(t testing.TB, family, answer string) string {
	t.Helper()
	out, err := region.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: types.NetworkModeAwsvpc, ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("web"), Image: aws.String(peerImage), Memory: aws.Int32(32), Environment: []types.KeyValuePair{{Name: aws.String("ANSWER"), Value: &answer}},
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80)}, {ContainerPort: aws.Int32(81)}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// behind puts a container's port behind a target group.
func behind(group string, port int32) types.LoadBalancer {
	return types.LoadBalancer{TargetGroupArn: &group, ContainerName: aws.String("web"), ContainerPort: &port}
}

// serve makes a service of tasks behind load balancers.
func (w *world) serve(t testing.TB, name, answer string, desired int32, all ...types.LoadBalancer) {
	t.Helper()
	said(t, name)
	_, err := region.ECS.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: &name, TaskDefinition: aws.String(define(t, name, answer)), DesiredCount: &desired, LoadBalancers: all,
		NetworkConfiguration:          &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: w.subnets, SecurityGroups: []string{w.open}}},
		DeploymentConfiguration:       &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(100), MaximumPercent: aws.Int32(150)},
		HealthCheckGracePeriodSeconds: aws.Int32(300),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func change(t testing.TB, in *ecs.UpdateServiceInput) {
	t.Helper()
	if _, err := region.ECS.UpdateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// deployed waits until a service has one deployment, which is complete.
func deployed(t testing.TB, name string) {
	t.Helper()
	installation.Eventually(t, "service "+name+" is deployed", func(ctx context.Context) error {
		out, err := region.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{name}})
		if err != nil {
			return err
		}
		s := out.Services[0]
		if len(s.Deployments) != 1 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted || s.RunningCount != s.DesiredCount {
			var said []string
			for _, e := range s.Events[:min(3, len(s.Events))] {
				said = append(said, *e.Message)
			}
			return fmt.Errorf("%d of %d run in %d deployments: %q", s.RunningCount, s.DesiredCount, len(s.Deployments), said)
		}
		return nil
	})
}

// target is a running task of a service.
type target struct{ arn, eni, address string }

func targets(t testing.TB, service string) (all []target) {
	t.Helper()
	list, err := region.ECS.ListTasks(t.Context(), &ecs.ListTasksInput{ServiceName: &service, DesiredStatus: types.DesiredStatusRunning})
	if err != nil || len(list.TaskArns) == 0 {
		t.Fatal(list, err)
	}
	out, err := region.ECS.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: list.TaskArns})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range out.Tasks {
		one := target{arn: *task.TaskArn}
		for _, d := range task.Attachments[0].Details {
			switch *d.Name {
			case "networkInterfaceId":
				one.eni = *d.Value
			case "privateIPv4Address":
				one.address = *d.Value
			}
		}
		all = append(all, one)
	}
	return all
}

// kill ends the task's program with SIGKILL: the process of the image in the namespace of its interface.
func (x target) kill(t testing.TB) {
	t.Helper()
	space, err := os.Stat(filepath.Join(region.RunDir, "eni", x.eni))
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range all {
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline")) // it may have ended
		in, err := os.Stat(filepath.Join(dir, "ns/net"))
		if err != nil || string(line) != "/target\x00" || !os.SameFile(space, in) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("the task has no program")
}

// said are the last events of a service, for who looks for what went wrong.
func said(t testing.TB, name string) {
	t.Cleanup(func() {
		out, err := region.ECS.DescribeServices(context.WithoutCancel(t.Context()), &ecs.DescribeServicesInput{Services: []string{name}})
		if !t.Failed() || err != nil || len(out.Services) != 1 {
			return
		}
		for _, e := range out.Services[0].Events[:min(6, len(out.Services[0].Events))] {
			t.Log(*e.Message)
		}
		t.Logf("%d of %d, %d pending", out.Services[0].RunningCount, out.Services[0].DesiredCount, out.Services[0].PendingCount)
	})
}
