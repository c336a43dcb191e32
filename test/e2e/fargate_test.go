package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// onFargate makes a definition one of FARGATE's smallest size.
func onFargate(d *ecs.RegisterTaskDefinitionInput) *ecs.RegisterTaskDefinitionInput {
	private(d)
	d.Cpu, d.Memory = aws.String("256"), aws.String("512")
	d.RequiresCompatibilities = []types.Compatibility{types.CompatibilityFargate}
	return d
}

// A service on FARGATE, in a cluster that has no container instance, answers the machine on its public address.
func TestFargateService(t *testing.T) {
	t.Parallel()
	ctx, cluster, name := t.Context(), family(t)+"-empty", family(t)
	if _, err := region.ECS.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &cluster}); err != nil {
		t.Fatal(err)
	}
	s, _ := subnet(t)
	_, err := region.ECS.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: &cluster, ServiceName: &name, TaskDefinition: aws.String(register(t, onFargate(define(t, peer("web", "tcp:80"))))), DesiredCount: aws.Int32(1),
		LaunchType: types.LaunchTypeFargate, NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: []string{s}, SecurityGroups: []string{group(t, "web", 80)}, AssignPublicIp: types.AssignPublicIpEnabled,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = region.ECS.DeleteService(detached(t), &ecs.DeleteServiceInput{Cluster: &cluster, Service: &name, Force: aws.Bool(true)})
	})
	var task types.Task
	installation.Eventually(t, "a task of the service runs", func(ctx context.Context) error {
		list, err := region.ECS.ListTasks(ctx, &ecs.ListTasksInput{Cluster: &cluster, LaunchType: types.LaunchTypeFargate})
		if err != nil || len(list.TaskArns) == 0 {
			return errors.Join(err, errors.New("there is none"))
		}
		out, err := region.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: list.TaskArns})
		if err != nil {
			return err
		}
		if task = out.Tasks[0]; aws.ToString(task.LastStatus) != "RUNNING" {
			return fmt.Errorf("it is %s", aws.ToString(task.LastStatus))
		}
		return nil
	})
	if task.ContainerInstanceArn != nil || aws.ToString(task.PlatformVersion) != "1.4.0" || task.LaunchType != types.LaunchTypeFargate {
		t.Errorf("task %+v", task)
	}
	v := vpcTaskOf(t, task)
	shown := ec2(t, "DescribeNetworkInterfaces", "NetworkInterfaceId.1", v.eni).Interfaces
	if len(shown) != 1 || shown[0].Public == "" || shown[0].Instance != "" {
		t.Fatalf("interface %+v", shown)
	}
	installation.Eventually(t, "its public address answers", func(context.Context) error {
		got, err := fetch("http://" + shown[0].Public)
		if err == nil && got != "web" {
			err = fmt.Errorf("it answers %q", got)
		}
		return err
	})
}
