// Command idle300 measures what many idle tasks cost a node: memory that berth adds to them, beside the shims that containerd
// needs anyway; how fast the server describes them; and how soon a node that was killed knows them again, touching none.
//
// It starts real tasks (one busybox container each, on the bridge) and removes them. It needs root.
//
//	go run ./test/bench/idle300 -tasks 300
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

func main() {
	tasks := flag.Int("tasks", 300, "idle tasks, at most 1000")
	settle := flag.Duration("settle", 12*time.Second, "how long nothing happens before memory is read")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, min(*tasks, 1000), *settle); err != nil {
		fmt.Fprintln(os.Stderr, "idle300:", err)
		os.Exit(1)
	}
}

const image = "bench.local/busybox:1"

// The targets.
const (
	perTaskMB   = 0.5
	describeP99 = 50 * time.Millisecond
	resync      = 500 * time.Millisecond
)

// bench is a region and its tasks.
type bench struct {
	*installation.Installation
	arns []string
}

func run(ctx context.Context, tasks int, settle time.Duration) (err error) {
	defer installation.Discard()
	region, err := installation.Open(ctx, installation.Options{Split: true, Settings: []string{"bridge-subnet=10.214.0.0/20", "image-pull-behavior=prefer-cached", "log-level=warn"}})
	if region != nil {
		defer func() { err = errors.Join(err, region.Close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	b := &bench{Installation: region}
	shell, err := images.Busybox(v1.Config{})
	if err != nil {
		return err
	}
	if err := region.Import(ctx, image, shell); err != nil {
		return err
	}
	// One task before memory is read: what is loaded once is not the others'.
	if err := b.start(ctx, 1); err != nil {
		return err
	}
	before, err := b.memory(ctx, settle)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := b.start(ctx, tasks-1); err != nil {
		return err
	}
	fmt.Printf("%d tasks run after %.1f s\n\n", tasks, time.Since(began).Seconds())
	after, err := b.memory(ctx, settle)
	if err != nil {
		return err
	}
	before.report(after, tasks-1)
	if err := b.describe(ctx); err != nil {
		return err
	}
	return b.restart(ctx)
}

// start runs n more tasks and waits until all run.
func (b *bench) start(ctx context.Context, n int) error {
	out, err := b.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("idle"), ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(image), Memory: aws.Int32(6), Command: []string{"/bin/sleep", "1000000"}, StopTimeout: aws.Int32(2),
		}},
	})
	if err != nil {
		return err
	}
	for n > 0 {
		count := min(n, 10)
		got, err := b.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: out.TaskDefinition.TaskDefinitionArn, Count: aws.Int32(int32(count))})
		if err != nil {
			return err
		}
		if len(got.Failures) > 0 {
			return fmt.Errorf("RunTask: %s %s", aws.ToString(got.Failures[0].Reason), aws.ToString(got.Failures[0].Detail))
		}
		for _, t := range got.Tasks {
			b.arns = append(b.arns, aws.ToString(t.TaskArn))
		}
		n -= count
	}
	return b.allRun(ctx)
}

// allRun waits until every task is RUNNING, for two minutes.
func (b *bench) allRun(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		running, err := b.running(ctx)
		if err != nil || running == len(b.arns) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d tasks run: %w", running, len(b.arns), ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (b *bench) running(ctx context.Context) (n int, err error) {
	for i := 0; i < len(b.arns); i += 100 {
		out, err := b.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: b.arns[i:min(i+100, len(b.arns))]})
		if err != nil {
			return 0, err
		}
		for _, t := range out.Tasks {
			switch aws.ToString(t.LastStatus) {
			case "RUNNING":
				n++
			case "STOPPED":
				return 0, fmt.Errorf("task %s stopped: %s", aws.ToString(t.TaskArn), aws.ToString(t.StoppedReason))
			}
		}
	}
	return n, nil
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}
