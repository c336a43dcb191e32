package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/bench/resident"
	"github.com/berth-ecs/berth/test/images"
)

const shell = "bench.local/busybox:1"

// settle is how long nothing happens before memory is read.
const settle = 15 * time.Second

// idle has tasks of EC2 ask for sandboxes: so many of FARGATE's smallest size do not fit on a small machine.
func (b *bench) idle(ctx context.Context) error {
	busybox, err := images.Busybox(v1.Config{})
	if err != nil {
		return err
	}
	if err := b.Import(ctx, shell, busybox); err != nil {
		return err
	}
	network, err := b.Private(ctx, "idle")
	if err != nil {
		return err
	}
	out, err := b.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("idle"), NetworkMode: types.NetworkModeAwsvpc, ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(shell), Memory: aws.Int32(64), Command: []string{"/bin/sleep", "1000000"},
			StopTimeout: aws.Int32(2), DockerLabels: map[string]string{"berth.sandbox": "gvisor"},
		}},
	})
	if err != nil {
		return err
	}
	definition := aws.ToString(out.TaskDefinition.TaskDefinitionArn)
	// Some before memory is read: what is loaded once is not the others', nor is the sandbox that waits for the next.
	if err := b.runIdle(ctx, definition, network, 2); err != nil {
		return err
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	before := resident.Of(b.Installation)
	if err := b.runIdle(ctx, definition, network, b.tasks); err != nil {
		return err
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	b.compare(before, resident.Of(b.Installation))
	return nil
}

func (b *bench) runIdle(ctx context.Context, definition string, network *types.NetworkConfiguration, n int) error {
	for n > 0 {
		out, err := b.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: &definition, NetworkConfiguration: network, Count: aws.Int32(int32(min(n, 5)))})
		if err != nil {
			return err
		}
		if len(out.Failures) > 0 {
			return fmt.Errorf("RunTask: %s %s", aws.ToString(out.Failures[0].Reason), aws.ToString(out.Failures[0].Detail))
		}
		for _, t := range out.Tasks {
			if err := b.reach(ctx, aws.ToString(t.TaskArn), "RUNNING"); err != nil {
				return err
			}
		}
		n -= len(out.Tasks)
	}
	return nil
}

// The programs whose memory is told apart.
var programs = []string{resident.Node, resident.Hold, resident.Server, resident.Containerd, resident.Shims, resident.Runsc}

func (b *bench) compare(before, after map[string]float64) {
	n := float64(b.tasks)
	fmt.Printf("%d idle tasks, RssAnon; %d sandboxes wait for the next\n%-12s %12s %12s %12s\n", b.tasks, b.ahead, "", "before, MB", "after, MB", "MB a task")
	for _, p := range programs {
		fmt.Printf("%-12s %12.1f %12.1f %12.3f\n", p, before[p], after[p], (after[p]-before[p])/n)
	}
	own := 0.0
	for _, p := range []string{resident.Node, resident.Hold, resident.Server} {
		own += (after[p] - before[p]) / n
	}
	fmt.Printf("berth's processes add %.3f MB a task; target at most 1 beside runsc's own. The shim of each is beside it.\n", own)
}
