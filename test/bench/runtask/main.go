// Command runtask measures the time from an accepted RunTask to the first instruction of its container, in a whole region: API,
// store, placement, agent protocol, agent and containerd, beside `ctr run -d` on the same containerd. Host network, image
// present.
//
// Both arms end at the same event, a datagram that the program sends first of all. RunTask is accepted when its answer is
// here; the arm from the moment of asking is printed too. A last arm sets ctr against itself: a smaller difference is noise.
//
//	go run ./test/bench/runtask -rounds 9
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/bench/abba"
	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

// program says when it began, and ends.
const program = `package main

import (
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	now := time.Now().UnixNano()
	c, err := net.Dial("unixgram", "@"+os.Args[1])
	if err != nil {
		panic(err)
	}
	c.Write([]byte(strconv.FormatInt(now, 10)))
}
`

const image = "bench.local/first:1"

func main() {
	rounds := flag.Int("rounds", 9, "rounds of ABBA, at least 7")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, max(*rounds, 7)); err != nil {
		fmt.Fprintln(os.Stderr, "runtask:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int) (err error) {
	defer installation.Discard()
	region, err := installation.Open(ctx, installation.Options{})
	if region != nil {
		defer func() { err = errors.Join(err, region.Close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	b := &bench{region: region}
	if err := b.setUp(ctx); err != nil {
		return err
	}
	defer func() { _ = b.reports.Close() }() // everything was read
	accepted := &abba.Arm{Name: "RunTask accepted -> first instruction", Once: b.fromAccepted}
	asked := &abba.Arm{Name: "RunTask asked -> first instruction", Once: b.fromAsked}
	peer := &abba.Arm{Name: "ctr run -d", Once: b.ctr}
	again := &abba.Arm{Name: "ctr run -d again", Once: b.ctr}
	arms := []*abba.Arm{accepted, asked, peer, again}
	if err := abba.Run(ctx, rounds, arms...); err != nil {
		return err
	}
	abba.Report(os.Stdout, peer, arms...)
	fmt.Println("target: the first ratio at most 1.00, aim 0.70; the last is the noise")
	return nil
}

// bench is a region with the program's image and a definition of it, and the socket that its containers report to. The
// socket's name is abstract: it needs the host's network and no mount.
type bench struct {
	region     *installation.Installation
	definition string
	reports    *net.UnixConn
	count      int
}

func (b *bench) setUp(ctx context.Context) (err error) {
	name := "bench-" + b.region.Name
	if b.reports, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@" + name, Net: "unixgram"}); err != nil {
		return err
	}
	binary, err := images.Compile(ctx, b.region.DataDir, "first", program, "")
	if err != nil {
		return err
	}
	spec, err := images.Program(binary, v1.Config{Entrypoint: []string{"/first", name}})
	if err != nil {
		return err
	}
	if err := b.region.Import(ctx, image, spec); err != nil {
		return err
	}
	reg, err := b.region.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("first"), NetworkMode: types.NetworkModeHost,
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("first"), Image: aws.String(image), Memory: aws.Int32(32)}},
	})
	if err != nil {
		return err
	}
	b.definition = aws.ToString(reg.TaskDefinition.TaskDefinitionArn)
	return nil
}

// firstInstruction answers when the next container that reports began.
func (b *bench) firstInstruction() (time.Time, error) {
	if err := b.reports.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return time.Time{}, err
	}
	buf := make([]byte, 64)
	n, err := b.reports.Read(buf)
	if err != nil {
		return time.Time{}, fmt.Errorf("the container did not report: %w", err)
	}
	at, err := strconv.ParseInt(string(buf[:n]), 10, 64)
	return time.Unix(0, at), err
}

func (b *bench) fromAccepted(ctx context.Context) (time.Duration, error) {
	_, accepted, began, err := b.runTask(ctx)
	return began.Sub(accepted), err
}

func (b *bench) fromAsked(ctx context.Context) (time.Duration, error) {
	asked, _, began, err := b.runTask(ctx)
	return began.Sub(asked), err
}

// runTask runs a task to its end.
func (b *bench) runTask(ctx context.Context) (asked, accepted, began time.Time, err error) {
	asked = time.Now()
	out, err := b.region.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: &b.definition})
	if err != nil {
		return
	}
	accepted = time.Now()
	if len(out.Tasks) != 1 {
		return asked, accepted, began, fmt.Errorf("RunTask: %+v", out.Failures)
	}
	if began, err = b.firstInstruction(); err != nil {
		return
	}
	err = b.stopped(ctx, aws.ToString(out.Tasks[0].TaskArn))
	return
}

// stopped waits for the end of a task, so that its cleaning up is not in the next arm's time.
func (b *bench) stopped(ctx context.Context, arn string) error {
	for {
		task, err := b.region.Task(ctx, arn)
		if err != nil || aws.ToString(task.LastStatus) == "STOPPED" {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *bench) ctr(ctx context.Context) (time.Duration, error) {
	b.count++
	id := "ctr" + strconv.Itoa(b.count)
	asked := time.Now()
	if err := b.command(ctx, "run", "-d", "--net-host", "--snapshotter", "overlayfs", image, id); err != nil {
		return 0, err
	}
	began, err := b.firstInstruction()
	if err != nil {
		return 0, err
	}
	if err := b.command(ctx, "tasks", "rm", "-f", id); err != nil {
		return 0, err
	}
	return began.Sub(asked), b.command(ctx, "containers", "rm", id)
}

func (b *bench) command(ctx context.Context, args ...string) error {
	base := []string{"-a", filepath.Join(b.region.RunDir, "containerd.sock"), "-n", b.region.Name}
	out, err := exec.CommandContext(ctx, filepath.Join(b.region.BinDir, "ctr"), append(base, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ctr %v: %w: %s", args, err, out)
	}
	return nil
}
