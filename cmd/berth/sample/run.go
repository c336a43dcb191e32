package sample

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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

const (
	replicas      = 2
	answersWithin = 10 * time.Second
	pollAnswer    = 200 * time.Millisecond
)

// Sample is one run against one region.
type Sample struct {
	API     *ecs.Client                                 // required
	Cluster string                                      // required
	Load    func(ctx context.Context, ref string) error // required; makes the image known to the node
	Out     io.Writer                                   // required; one line a step
}

// Run makes sure that the sample service runs and answers, and returns its URL.
func (s Sample) Run(ctx context.Context) (url string, err error) {
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"image     " + ImageName + ", from one static program", func(ctx context.Context) error { return s.Load(ctx, ImageName) }},
		{"register  task definition " + Family, s.register},
		{fmt.Sprintf("service   %s, %d replicas in cluster %s", Service, replicas, s.Cluster), s.create},
		{"waiting   until the service is stable", s.stable},
		{"asking    a task through its host port", func(ctx context.Context) error { url, err = s.ask(ctx); return err }},
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
func (s Sample) register(ctx context.Context) error {
	if _, err := s.API.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(Family)}); err == nil {
		return nil
	}
	_, err := s.API.RegisterTaskDefinition(ctx, taskDefinition())
	return err
}

func taskDefinition() *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family:      aws.String(Family),
		NetworkMode: types.NetworkModeBridge,
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

func (s Sample) create(ctx context.Context) error {
	known, err := s.describe(ctx)
	if err != nil {
		return err
	}
	if known != nil && aws.ToString(known.Status) == "ACTIVE" {
		return nil
	}
	_, err = s.API.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String(s.Cluster), ServiceName: aws.String(Service), TaskDefinition: aws.String(Family),
		DesiredCount: aws.Int32(replicas), LaunchType: types.LaunchTypeEc2,
	})
	return err
}

func (s Sample) describe(ctx context.Context) (*types.Service, error) {
	out, err := s.API.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(s.Cluster), Services: []string{Service}})
	if err != nil || len(out.Services) == 0 {
		return nil, err
	}
	return &out.Services[0], nil
}

// ask asks a task and shows its answer. A task is RUNNING when its process runs; that listens a moment later.
func (s Sample) ask(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	tick := time.NewTicker(pollAnswer)
	defer tick.Stop()
	for {
		url, body, err := s.try(ctx)
		if err == nil {
			fmt.Fprintf(s.Out, "\n    curl %s\n    %s", url, body)
			return url, nil
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-tick.C:
		}
	}
}

// try asks once, at the address a task has now.
func (s Sample) try(ctx context.Context) (url string, body []byte, err error) {
	if url, err = s.url(ctx); err != nil {
		return "", nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", nil, fmt.Errorf("%s answered %s", url, resp.Status)
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, 1024))
	return url, body, err
}

// url finds the host port of a running task.
func (s Sample) url(ctx context.Context) (string, error) {
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
			for _, b := range c.NetworkBindings {
				if aws.ToString(task.LastStatus) == "RUNNING" && b.HostPort != nil {
					return fmt.Sprintf("http://127.0.0.1:%d/", *b.HostPort), nil
				}
			}
		}
	}
	return "", errors.New("no running task has a host port")
}
