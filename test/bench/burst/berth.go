package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"
)

func (b *bench) define(ctx context.Context) error {
	mode := types.NetworkModeHost
	if b.private {
		var err error
		if b.network, err = b.region.Private(ctx, "burst"); err != nil {
			return err
		}
		mode = types.NetworkModeAwsvpc
	}
	reg, err := b.region.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("burst"), NetworkMode: mode,
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("burst"), Image: aws.String(image), Memory: aws.Int32(16),
			MountPoints: []types.MountPoint{{SourceVolume: aws.String("report"), ContainerPath: aws.String("/report")}}}},
		Volumes: []types.Volume{{Name: aws.String("report"), Host: &types.HostVolumeProperties{SourcePath: aws.String(b.reportDir())}}},
	})
	if err != nil {
		return err
	}
	b.definition = aws.ToString(reg.TaskDefinition.TaskDefinitionArn)
	return nil
}

// berth ends at the last first instruction, and notes when the API shows every task as RUNNING.
func (b *bench) berth(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	tasks, err := b.runTasks(ctx)
	if err != nil {
		return 0, err
	}
	if err := b.arrived(b.size); err != nil {
		return 0, err
	}
	took := time.Since(began)
	if err := b.await(ctx, tasks, "RUNNING"); err != nil {
		return 0, err
	}
	b.shown.Add(time.Since(began))
	return took, b.stop(ctx, tasks)
}

// atOnce is the most tasks of one RunTask.
const atOnce = 10

func (b *bench) runTasks(ctx context.Context) ([]string, error) {
	calls := (b.size + atOnce - 1) / atOnce
	outs := make([]*ecs.RunTaskOutput, calls)
	g, ctx := errgroup.WithContext(ctx)
	for i := range calls {
		n := min(atOnce, b.size-i*atOnce)
		g.Go(func() (err error) {
			outs[i], err = b.region.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: &b.definition, Count: aws.Int32(int32(n)), NetworkConfiguration: b.network})
			if err == nil && len(outs[i].Tasks) != n {
				err = fmt.Errorf("RunTask placed %d of %d: %+v", len(outs[i].Tasks), n, outs[i].Failures)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var tasks []string
	for _, out := range outs {
		for _, t := range out.Tasks {
			tasks = append(tasks, aws.ToString(t.TaskArn))
		}
	}
	return tasks, nil
}

// await waits until every task has a status.
func (b *bench) await(ctx context.Context, tasks []string, status string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for len(tasks) > 0 {
		some := tasks[:min(100, len(tasks))]
		out, err := b.region.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: some})
		if err != nil {
			return err
		}
		left := tasks[len(some):]
		for _, t := range out.Tasks {
			switch last := aws.ToString(t.LastStatus); {
			case last == "STOPPED" && status != last:
				return fmt.Errorf("a task stopped: %s", aws.ToString(t.StoppedReason))
			case last != status:
				left = append(slices.Clip(left), aws.ToString(t.TaskArn))
			}
		}
		tasks = left
		if len(tasks) == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d tasks do not come to %s: %w", len(tasks), status, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// stop ends the tasks and waits until they are gone, so that their end is not in the next arm's time.
func (b *bench) stop(ctx context.Context, tasks []string) error {
	g, stopping := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, arn := range tasks {
		g.Go(func() error {
			_, err := b.region.ECS.StopTask(stopping, &ecs.StopTaskInput{Task: &arn})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return b.await(ctx, tasks, "STOPPED")
}
