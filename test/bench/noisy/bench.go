package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

// program is the task whose answers are timed.
const program = `package main

import "net/http"

func main() {
	panic(http.ListenAndServe(":80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("alive")) })))
}
`

const (
	shellImage = "bench.local/shell:1"
	webImage   = "bench.local/web:1"
)

// noises are scripts that do one thing as much as they can.
var noises = map[string]string{
	"burns":  `for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done; wait`,
	"forks":  `for i in 1 2 3 4; do while :; do /bin/true; done & done; wait`,
	"writes": `while :; do dd if=/dev/zero of=/f bs=1M count=64 2>/dev/null; done`,
	"prints": `yes "a line of a container that has very much to say and says it as fast as it can, to both of its streams"`,
	"ends":   `true`,
}

// bench is a region with one task that is asked, and the definitions of the noise.
type bench struct {
	*installation.Installation
	task, address string
}

func (b *bench) setUp(ctx context.Context) error {
	shell, err := images.Busybox(v1.Config{})
	if err != nil {
		return err
	}
	if err := b.Import(ctx, shellImage, shell); err != nil {
		return err
	}
	binary, err := images.Compile(ctx, b.DataDir, "web", program, "")
	if err != nil {
		return err
	}
	web, err := images.Program(binary, v1.Config{Entrypoint: []string{"/web"}})
	if err != nil {
		return err
	}
	if err := b.Import(ctx, webImage, web); err != nil {
		return err
	}
	for family, script := range noises {
		if err := b.define(ctx, family, types.ContainerDefinition{Image: aws.String(shellImage), EntryPoint: []string{"sh", "-c"}, Command: []string{script}}); err != nil {
			return err
		}
	}
	err = b.define(ctx, "web", types.ContainerDefinition{Image: aws.String(webImage), PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80)}}})
	if err != nil {
		return err
	}
	task, err := b.start(ctx, "web")
	if err != nil {
		return err
	}
	b.task = aws.ToString(task.TaskArn)
	b.address = fmt.Sprintf("http://127.0.0.1:%d/", aws.ToInt32(task.Containers[0].NetworkBindings[0].HostPort))
	return nil
}

func (b *bench) define(ctx context.Context, family string, c types.ContainerDefinition) error {
	c.Name, c.Memory, c.StopTimeout = aws.String("main"), aws.Int32(256), aws.Int32(2)
	_, err := b.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), NetworkMode: types.NetworkModeBridge, ContainerDefinitions: []types.ContainerDefinition{c},
	})
	return err
}

// start runs a task and answers it once it runs.
func (b *bench) start(ctx context.Context, family string) (types.Task, error) {
	out, err := b.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: aws.String(family)})
	if err != nil || len(out.Tasks) != 1 {
		return types.Task{}, fmt.Errorf("run %s: %w", family, err)
	}
	return b.await(ctx, *out.Tasks[0].TaskArn, "RUNNING")
}

func (b *bench) await(ctx context.Context, arn, status string) (types.Task, error) {
	for {
		task, err := b.Task(ctx, arn)
		switch {
		case err != nil:
			return task, err
		case aws.ToString(task.LastStatus) == status:
			return task, nil
		case aws.ToString(task.LastStatus) == "STOPPED":
			return task, fmt.Errorf("%s stopped: %s", arn, aws.ToString(task.StoppedReason))
		}
		select {
		case <-ctx.Done():
			return task, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// watch times everything for a window while the arm's noise goes on.
func (b *bench) watch(ctx context.Context, a *arm, window time.Duration) error {
	var noise []string
	for _, family := range a.noise {
		task, err := b.start(ctx, family)
		if err != nil {
			return err
		}
		noise = append(noise, *task.TaskArn)
	}
	if a.times == nil {
		a.times = map[string][]time.Duration{}
	}
	end := time.Now().Add(window)
	var mu sync.Mutex
	var errs []error
	var workers sync.WaitGroup
	for i, once := range []func() error{
		func() error { return ask(b.address) },
		func() error {
			_, err := b.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: []string{b.task}})
			return err
		},
		func() error {
			_, err := b.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: aws.String("ends")})
			return err
		},
	} {
		pause := []time.Duration{2 * time.Millisecond, 5 * time.Millisecond, 400 * time.Millisecond}[i]
		workers.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil {
				began := time.Now()
				err := once()
				took := time.Since(began)
				mu.Lock()
				a.times[timed[i].name] = append(a.times[timed[i].name], took)
				if err != nil {
					errs = append(errs, err)
				}
				mu.Unlock()
				<-time.After(pause)
			}
		})
	}
	workers.Wait()
	for _, arn := range noise {
		if _, err := b.ECS.StopTask(ctx, &ecs.StopTaskInput{Task: aws.String(arn)}); err != nil {
			return err
		}
	}
	for _, arn := range noise {
		if _, err := b.await(ctx, arn, "STOPPED"); err != nil {
			return err
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("%d failed, the first: %w", len(errs), errs[0])
	}
	return nil
}

var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func ask(address string) error {
	resp, err := client.Get(address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err
}
