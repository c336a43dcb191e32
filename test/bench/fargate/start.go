package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/node/hold/logfile"
	"github.com/berth-ecs/berth/test/bench/abba"
	"github.com/berth-ecs/berth/test/images"
)

// program notes when it began, in a file if it is told one, and ends.
const program = `package main

import (
	"os"
	"strconv"
	"time"
)

func main() {
	now := strconv.FormatInt(time.Now().UnixNano(), 10)
	if len(os.Args) > 1 {
		os.WriteFile(os.Args[1]+".new", []byte(now), 0o644)
		os.Rename(os.Args[1]+".new", os.Args[1])
		return
	}
	os.Stdout.WriteString(now + "\n")
}
`

const image = "bench.local/first:1"

func (b *bench) startSandboxed(ctx context.Context) error {
	return b.start(ctx, "FARGATE on runsc", b.ctrRunsc)
}

func (b *bench) startPlain(ctx context.Context) error {
	return b.start(ctx, "FARGATE on runc", b.ctrRunc)
}

func (b *bench) start(ctx context.Context, what string, ctr func(context.Context) (time.Duration, error)) error {
	binary, err := images.Compile(ctx, b.DataDir, "first", program, "")
	if err != nil {
		return err
	}
	spec, err := images.Program(binary, v1.Config{Entrypoint: []string{"/first"}})
	if err != nil {
		return err
	}
	if err := b.Import(ctx, image, spec); err != nil {
		return err
	}
	definition, err := b.define(ctx, "first", types.ContainerDefinition{Name: aws.String("first"), Image: aws.String(image)})
	if err != nil {
		return err
	}
	network, err := b.Private(ctx, "start")
	if err != nil {
		return err
	}
	task := func(asked bool) func(context.Context) (time.Duration, error) {
		return func(ctx context.Context) (time.Duration, error) { return b.once(ctx, definition, network, asked) }
	}
	accepted := &abba.Arm{Name: "RunTask accepted -> first instruction", Once: task(false)}
	peer := &abba.Arm{Name: "ctr run -d", Once: ctr}
	arms := []*abba.Arm{accepted, {Name: "RunTask asked -> first instruction", Once: task(true)}, peer, {Name: "ctr run -d again", Once: ctr}}
	if err := abba.Run(ctx, b.rounds, arms...); err != nil {
		return err
	}
	fmt.Printf("%s, %s CPU units, %d made ahead; ctr without network\n", what, b.cpu, b.ahead)
	abba.Report(os.Stdout, peer, arms...)
	for _, a := range arms {
		fmt.Printf("  %-42s p99 %.1f ms\n", a.Name, float64(a.Quantile(0.99).Microseconds())/1000)
	}
	fmt.Println("target: the first ratio at most 1.00; the last is the noise")
	return nil
}

// define registers a task for FARGATE.
func (b *bench) define(ctx context.Context, family string, c types.ContainerDefinition) (string, error) {
	units, err := strconv.Atoi(b.cpu)
	if err != nil {
		return "", err
	}
	out, err := b.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: types.NetworkModeAwsvpc, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		Cpu: &b.cpu, Memory: aws.String(strconv.Itoa(2 * units)), ContainerDefinitions: []types.ContainerDefinition{c},
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.TaskDefinition.TaskDefinitionArn), nil
}

// run runs one task on FARGATE.
func (b *bench) runTask(ctx context.Context, definition string, network *types.NetworkConfiguration) (arn string, err error) {
	out, err := b.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: &definition, LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network})
	if err != nil {
		return "", err
	}
	if len(out.Tasks) != 1 {
		return "", fmt.Errorf("RunTask: %s %s", aws.ToString(out.Failures[0].Reason), aws.ToString(out.Failures[0].Detail))
	}
	return aws.ToString(out.Tasks[0].TaskArn), nil
}

// once runs a task to its end, so that its cleaning up is not in the next arm's time.
func (b *bench) once(ctx context.Context, definition string, network *types.NetworkConfiguration, fromAsked bool) (time.Duration, error) {
	since := time.Now()
	arn, err := b.runTask(ctx, definition, network)
	if err != nil {
		return 0, err
	}
	if !fromAsked {
		since = time.Now()
	}
	if err := b.reach(ctx, arn, "STOPPED"); err != nil {
		return 0, err
	}
	first, err := b.output(ctx, arn, "first")
	if err != nil {
		return 0, err
	}
	if err := b.settled(ctx); err != nil {
		return 0, err
	}
	return sinceNote(since, first)
}

// settled waits for what berth does after a task: it takes what is gone away, and makes a sandbox ahead.
func (b *bench) settled(ctx context.Context) error { return pause(ctx, 700*time.Millisecond) }

func sinceNote(since time.Time, note string) (time.Duration, error) {
	at, err := strconv.ParseInt(strings.TrimSpace(note), 10, 64)
	return time.Unix(0, at).Sub(since), err
}

// reach waits for a task's status.
func (b *bench) reach(ctx context.Context, arn, status string) error {
	for {
		task, err := b.Task(ctx, arn)
		if err != nil {
			return err
		}
		switch aws.ToString(task.LastStatus) {
		case status:
			return nil
		case "STOPPED":
			return fmt.Errorf("task %s: %s", arn, aws.ToString(task.StoppedReason))
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// output is the first line that a container printed.
func (b *bench) output(ctx context.Context, arn, container string) (string, error) {
	for line, err := range logfile.Read(ctx, filepath.Join(b.DataDir, "logs"), arn[strings.LastIndexByte(arn, '/')+1:], container) {
		return string(line.Text), err
	}
	return "", errors.New("the container printed nothing")
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
