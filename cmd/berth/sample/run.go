package sample

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Names of what Run makes.
const (
	Family  = "berth-sample"
	Service = "berth-sample"
)

// container is the only one of its tasks.
const container = "web"

const replicas = 2

// endsWithin is how long the tasks of a deleted service may take: their stopTimeout, and what a busy machine adds.
const endsWithin = time.Minute

// Sample is one run against one region.
type Sample struct {
	API     *ecs.Client                                               // required
	EC2     Calls                                                     // required
	ELB     Calls                                                     // optional; without it there is no load balancer, as its address would not be reached from here
	Get     func(ctx context.Context, url string) (string, error)     // required with ELB; what a URL answers to who is outside
	Cluster string                                                    // required
	Launch  types.LaunchType                                          // required; what its tasks run as
	Load    func(ctx context.Context, ref string) error               // required; makes the image known to the node
	Log     func(ctx context.Context, task string, w io.Writer) error // required; what a task printed
	Out     io.Writer                                                 // required; one line a step

	network    *types.NetworkConfiguration // of its tasks
	vpc        string                      // that they are in
	definition string                      // ARN of the revision they are of
	balancer   string                      // ARN of the load balancer before them; "" for none
	targets    string                      // ARN of its target group
}

// Run makes sure that the sample service runs and answers, and returns its URL.
func (s *Sample) Run(ctx context.Context) (url string, err error) {
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"image     " + ImageName + ", from one static program", func(ctx context.Context) error { return s.Load(ctx, ImageName) }},
		{"register  task definition " + Family, s.register},
		{fmt.Sprintf("network   default subnets, security group %s with port %s", group, port), s.prepare},
		{fmt.Sprintf("balancer  %s, from port %s of the world to port %s of the tasks", Balancer, outside, port), s.balance},
		{fmt.Sprintf("service   %s, %d replicas on %s in cluster %s", Service, replicas, s.Launch, s.Cluster), s.create},
		{"waiting   until the service is stable", s.stable},
		{"asking    it", func(ctx context.Context) error { url, err = s.ask(ctx); return err }},
	}
	for _, step := range steps {
		fmt.Fprintln(s.Out, step.name)
		if err := step.run(ctx); err != nil {
			return "", fmt.Errorf("sample: %s: %w", step.name, err)
		}
	}
	return url, nil
}

// register keeps the newest revision if it will do, so that a second Run changes nothing.
func (s *Sample) register(ctx context.Context) error {
	known, err := s.API.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(Family)})
	if err == nil && slices.Contains(known.TaskDefinition.RequiresCompatibilities, types.CompatibilityFargate) {
		s.definition = aws.ToString(known.TaskDefinition.TaskDefinitionArn)
		return nil
	}
	made, err := s.API.RegisterTaskDefinition(ctx, taskDefinition())
	if err != nil {
		return err
	}
	s.definition = aws.ToString(made.TaskDefinition.TaskDefinitionArn)
	return nil
}

// taskDefinition is good for both launch types: FARGATE wants a size of its table, and an interface for each task.
func taskDefinition() *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family:                  aws.String(Family),
		NetworkMode:             types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityEc2, types.CompatibilityFargate},
		Cpu:                     aws.String("256"), Memory: aws.String("512"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String(container), Image: aws.String(ImageName), Essential: aws.Bool(true),
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080)}},
			HealthCheck: &types.HealthCheck{
				Command: []string{"CMD", "/web", "-check"}, Interval: aws.Int32(5), Timeout: aws.Int32(2), Retries: aws.Int32(3),
			},
		}},
	}
}

func (s *Sample) create(ctx context.Context) error {
	known, err := s.describe(ctx)
	if err != nil {
		return err
	}
	if known != nil && aws.ToString(known.Status) == "ACTIVE" && known.LaunchType == s.Launch {
		return s.move(ctx, known)
	}
	if err := s.remove(ctx, known); err != nil {
		return err
	}
	_, err = s.API.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String(s.Cluster), ServiceName: aws.String(Service), TaskDefinition: aws.String(s.definition),
		DesiredCount: aws.Int32(replicas), LaunchType: s.Launch, NetworkConfiguration: s.network,
		LoadBalancers: s.behind(),
	})
	return err
}

// remove ends a service of the other launch type, which no update changes.
func (s *Sample) remove(ctx context.Context, known *types.Service) error {
	if known == nil || aws.ToString(known.Status) == "INACTIVE" {
		return nil
	}
	_, err := s.API.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: aws.String(s.Cluster), Service: aws.String(Service), Force: aws.Bool(true)})
	if err != nil {
		return err
	}
	waiter := ecs.NewServicesInactiveWaiter(s.API, func(o *ecs.ServicesInactiveWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, pollAtMost
	})
	return waiter.Wait(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(s.Cluster), Services: []string{Service}}, endsWithin)
}

// move brings a service of an earlier berth to the revision, the network and the load balancer that its tasks are to have.
func (s *Sample) move(ctx context.Context, known *types.Service) error {
	n := known.NetworkConfiguration
	if aws.ToString(known.TaskDefinition) == s.definition && n != nil && n.AwsvpcConfiguration != nil &&
		slices.Equal(n.AwsvpcConfiguration.SecurityGroups, s.network.AwsvpcConfiguration.SecurityGroups) && (s.targets == "" || balanced(known, s.targets)) {
		return nil
	}
	_, err := s.API.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(s.Cluster), Service: aws.String(Service), TaskDefinition: aws.String(s.definition), NetworkConfiguration: s.network,
		LoadBalancers: s.behind(),
	})
	return err
}

func balanced(s *types.Service, group string) bool {
	return slices.ContainsFunc(s.LoadBalancers, func(l types.LoadBalancer) bool { return aws.ToString(l.TargetGroupArn) == group })
}

func (s *Sample) describe(ctx context.Context) (*types.Service, error) {
	out, err := s.API.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(s.Cluster), Services: []string{Service}})
	if err != nil || len(out.Services) == 0 {
		return nil, err
	}
	return &out.Services[0], nil
}
