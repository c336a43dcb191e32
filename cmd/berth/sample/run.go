package sample

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Names of what Run makes.
const (
	Family  = "berth-sample"
	Service = "berth-sample"
)

const replicas = 2

// Sample is one run against one region.
type Sample struct {
	API     *ecs.Client                                               // required
	EC2     Calls                                                     // required
	Cluster string                                                    // required
	Load    func(ctx context.Context, ref string) error               // required; makes the image known to the node
	Log     func(ctx context.Context, task string, w io.Writer) error // required; what a task printed
	Out     io.Writer                                                 // required; one line a step

	network *types.NetworkConfiguration // of its tasks
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
		{fmt.Sprintf("service   %s, %d replicas in cluster %s", Service, replicas, s.Cluster), s.create},
		{"waiting   until the service is stable", s.stable},
		{"asking    a task at its address in the VPC, from another task", func(ctx context.Context) error { url, err = s.ask(ctx); return err }},
	}
	for _, step := range steps {
		fmt.Fprintln(s.Out, step.name)
		if err := step.run(ctx); err != nil {
			return "", fmt.Errorf("sample: %s: %w", step.name, err)
		}
	}
	return url, nil
}

// register keeps the newest revision if there is one, so that a second Run changes nothing.
func (s *Sample) register(ctx context.Context) error {
	known, err := s.API.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(Family)})
	if err == nil && known.TaskDefinition.NetworkMode == types.NetworkModeAwsvpc {
		return nil
	}
	_, err = s.API.RegisterTaskDefinition(ctx, taskDefinition())
	return err
}

func taskDefinition() *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family:      aws.String(Family),
		NetworkMode: types.NetworkModeAwsvpc,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("web"), Image: aws.String(ImageName),
			Cpu: 64, Memory: aws.Int32(64), Essential: aws.Bool(true),
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
	if known != nil && aws.ToString(known.Status) == "ACTIVE" {
		return s.move(ctx, known)
	}
	_, err = s.API.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String(s.Cluster), ServiceName: aws.String(Service), TaskDefinition: aws.String(Family),
		DesiredCount: aws.Int32(replicas), LaunchType: types.LaunchTypeEc2, NetworkConfiguration: s.network,
	})
	return err
}

// move brings a service of an earlier berth, which was in no VPC, to where its tasks are to be.
func (s *Sample) move(ctx context.Context, known *types.Service) error {
	n := known.NetworkConfiguration
	if n != nil && n.AwsvpcConfiguration != nil && slices.Equal(n.AwsvpcConfiguration.SecurityGroups, s.network.AwsvpcConfiguration.SecurityGroups) {
		return nil
	}
	_, err := s.API.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(s.Cluster), Service: aws.String(Service), TaskDefinition: aws.String(Family), NetworkConfiguration: s.network,
	})
	return err
}

func (s *Sample) describe(ctx context.Context) (*types.Service, error) {
	out, err := s.API.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(s.Cluster), Services: []string{Service}})
	if err != nil || len(out.Services) == 0 {
		return nil, err
	}
	return &out.Services[0], nil
}
