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

const (
	stableFor  = 60 * time.Second
	pollAtMost = time.Second
	quoted     = 3 // events and stopped tasks that a failure quotes
)

// stable waits until the service is. Its error quotes what ECS says about it.
func (s *Sample) stable(ctx context.Context) error {
	waiter := ecs.NewServicesStableWaiter(s.API, func(o *ecs.ServicesStableWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, pollAtMost
	})
	err := waiter.Wait(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(s.Cluster), Services: []string{Service}}, stableFor)
	if err == nil {
		return nil
	}
	return errors.Join(append([]error{err}, s.says(ctx)...)...)
}

// says is what ECS says: the newest events, and why tasks stopped.
func (s *Sample) says(ctx context.Context) []error {
	known, err := s.describe(ctx)
	if err != nil || known == nil {
		return []error{err}
	}
	var out []error
	for _, e := range known.Events[:min(len(known.Events), quoted)] {
		out = append(out, fmt.Errorf("  ECS says: %s", aws.ToString(e.Message)))
	}
	list, err := s.API.ListTasks(ctx, &ecs.ListTasksInput{
		Cluster: aws.String(s.Cluster), Family: aws.String(Family), DesiredStatus: types.DesiredStatusStopped, MaxResults: aws.Int32(quoted),
	})
	if err != nil || len(list.TaskArns) == 0 {
		return append(out, err)
	}
	tasks, err := s.API.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(s.Cluster), Tasks: list.TaskArns})
	if err != nil {
		return append(out, err)
	}
	for _, t := range tasks.Tasks {
		out = append(out, fmt.Errorf("  %s", ending(t)))
	}
	return out
}

// ending says in one line why a task stopped.
func ending(t types.Task) string {
	var line strings.Builder
	fmt.Fprintf(&line, "%s stopped: %s", aws.ToString(t.TaskArn), aws.ToString(t.StoppedReason))
	for _, c := range t.Containers {
		fmt.Fprintf(&line, "; %s:", aws.ToString(c.Name))
		if c.ExitCode != nil {
			fmt.Fprintf(&line, " exit code %d", *c.ExitCode)
		}
		line.WriteString(" " + aws.ToString(c.Reason))
	}
	return strings.TrimSpace(line.String())
}
