package sample

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// answersWithin is how long the task that asks may take.
const answersWithin = time.Minute

// ask shows what the service answers: through the load balancer or, where there is none, to another task.
func (s *Sample) ask(ctx context.Context) (url string, err error) {
	if s.balancer != "" {
		return s.askOutside(ctx)
	}
	return s.askInside(ctx)
}

// askInside asks a task at its private address, which is reached from inside the VPC only: so another task asks.
func (s *Sample) askInside(ctx context.Context) (url string, err error) {
	fmt.Fprintln(s.Out, "          at a task's address in the VPC, from another task")
	if url, err = s.url(ctx); err != nil {
		return "", err
	}
	out, err := s.API.RunTask(ctx, &ecs.RunTaskInput{
		Cluster: aws.String(s.Cluster), TaskDefinition: aws.String(s.definition), LaunchType: s.Launch, NetworkConfiguration: s.network,
		StartedBy: aws.String("berth up --sample"),
		Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String(container), Command: []string{"-get", url}}}},
	})
	if err != nil {
		return "", err
	}
	if len(out.Tasks) != 1 {
		return "", fmt.Errorf("the task that asks has no place: %s", aws.ToString(out.Failures[0].Reason))
	}
	task := out.Tasks[0].TaskArn
	waiter := ecs.NewTasksStoppedWaiter(s.API, func(o *ecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, pollAtMost })
	if err := waiter.Wait(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(s.Cluster), Tasks: []string{*task}}, answersWithin); err != nil {
		return "", err
	}
	var said strings.Builder
	if err := s.Log(ctx, *task, &said); err != nil {
		return "", err
	}
	if !strings.HasPrefix(said.String(), "hello") {
		return "", fmt.Errorf("%s answered %q", url, said.String())
	}
	fmt.Fprintf(s.Out, "\n    %s answers\n    %s", url, said.String())
	return url, nil
}

// url is where a running task listens.
func (s *Sample) url(ctx context.Context) (string, error) {
	list, err := s.API.ListTasks(ctx, &ecs.ListTasksInput{Cluster: aws.String(s.Cluster), ServiceName: aws.String(Service)})
	if err != nil {
		return "", err
	}
	if len(list.TaskArns) == 0 {
		return "", errors.New("the service has no running task")
	}
	out, err := s.API.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(s.Cluster), Tasks: list.TaskArns})
	if err != nil {
		return "", err
	}
	for _, task := range out.Tasks {
		for _, c := range task.Containers {
			for _, i := range c.NetworkInterfaces {
				if aws.ToString(task.LastStatus) == "RUNNING" && i.PrivateIpv4Address != nil {
					return "http://" + *i.PrivateIpv4Address + ":" + port + "/", nil
				}
			}
		}
	}
	return "", errors.New("no running task has an address")
}
