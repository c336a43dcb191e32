// Command runtask measures the time from an accepted RunTask to the first instruction of its container, in a whole region: API,
// store, placement, agent protocol, agent and containerd, beside `ctr run -d` on the same containerd. Image present.
//
// On the host's network the peer is `ctr run -d --net-host`; a task of bridge mode with a published port has the peer that has no network
// to make, `ctr run -d` with an empty namespace, and so has one of awsvpc with a security group. All arms end at the same event, a datagram that the program sends first of all. RunTask
// is accepted when its answer is here; the arm from the moment of asking is printed too. The last arm of each set is the peer against
// itself: a smaller difference is noise.
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
	"syscall"
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
	"strconv"
	"time"
)

func main() {
	now := time.Now().UnixNano()
	c, err := net.Dial("unixgram", "/report/socket")
	if err != nil {
		panic(err)
	}
	c.Write([]byte(strconv.FormatInt(now, 10)))
}
`

const image = "bench.local/first:1"

func main() {
	rounds := flag.Int("rounds", 9, "rounds of ABBA, at least 7")
	only := flag.String("only", "", "host, bridge or awsvpc, instead of all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, max(*rounds, 7), types.NetworkMode(*only)); err != nil {
		fmt.Fprintln(os.Stderr, "runtask:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, only types.NetworkMode) (err error) {
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
	for _, set := range []struct {
		mode, target string
		of           types.NetworkMode
		ctr          []string
	}{
		{"host network", "at most 1.00, aim 0.70", types.NetworkModeHost, []string{"--net-host"}},
		{"bridge, a published port; ctr without network", "at most 1.10, aim 0.80", types.NetworkModeBridge, nil},
		{"awsvpc with a security group; ctr without network", "at most 1.00, aim 0.80", types.NetworkModeAwsvpc, nil},
	} {
		if only != "" && only != set.of {
			continue
		}
		if b.definition, err = b.define(ctx, set.of); err != nil {
			return err
		}
		b.options, b.network = set.ctr, nil
		if set.of == types.NetworkModeAwsvpc {
			if b.network, err = b.region.Private(ctx, "runtask"); err != nil {
				return err
			}
		}
		accepted := &abba.Arm{Name: "RunTask accepted -> first instruction", Once: b.fromAccepted}
		asked := &abba.Arm{Name: "RunTask asked -> first instruction", Once: b.fromAsked}
		peer := &abba.Arm{Name: "ctr run -d", Once: b.ctr}
		again := &abba.Arm{Name: "ctr run -d again", Once: b.ctr}
		arms := []*abba.Arm{accepted, asked, peer, again}
		if err := abba.Run(ctx, rounds, arms...); err != nil {
			return err
		}
		fmt.Println(set.mode)
		abba.Report(os.Stdout, peer, arms...)
		fmt.Printf("target: the first ratio %s; the last is the noise\n", set.target)
		fmt.Printf("p99 of the first is %.2f times its p50, at most 2; of the peer %.2f\n", tail(accepted), tail(peer))
	}
	return nil
}

// tail is p99 beside p50. Of fewer than a hundred runs it is nearly the slowest.
func tail(a *abba.Arm) float64 { return float64(a.Quantile(0.99)) / float64(a.Quantile(0.5)) }

// bench is a region with the program's image, and the socket that its containers report to. The socket is in a directory that every
// container mounts: it is reached from any network.
type bench struct {
	region     *installation.Installation
	definition string
	options    []string                    // of ctr run
	network    *types.NetworkConfiguration // of tasks
	reports    *net.UnixConn
	count      int
}

func (b *bench) setUp(ctx context.Context) (err error) {
	if err := os.MkdirAll(b.reportDir(), 0o755); err != nil {
		return err
	}
	at := &net.UnixAddr{Name: filepath.Join(b.reportDir(), "socket"), Net: "unixgram"}
	if b.reports, err = net.ListenUnixgram("unixgram", at); err != nil {
		return err
	}
	binary, err := images.Compile(ctx, b.region.DataDir, "first", program, "")
	if err != nil {
		return err
	}
	spec, err := images.Program(binary, v1.Config{Entrypoint: []string{"/first"}})
	if err != nil {
		return err
	}
	return b.region.Import(ctx, image, spec)
}

func (b *bench) reportDir() string { return filepath.Join(b.region.DataDir, "report") }

// define registers the program in a network mode; in bridge mode it has a port on the host.
func (b *bench) define(ctx context.Context, mode types.NetworkMode) (string, error) {
	c := types.ContainerDefinition{Name: aws.String("first"), Image: aws.String(image), Memory: aws.Int32(32),
		MountPoints: []types.MountPoint{{SourceVolume: aws.String("report"), ContainerPath: aws.String("/report")}}}
	if mode == types.NetworkModeBridge {
		c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80)}}
	}
	reg, err := b.region.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("first"), NetworkMode: mode, ContainerDefinitions: []types.ContainerDefinition{c},
		Volumes: []types.Volume{{Name: aws.String("report"), Host: &types.HostVolumeProperties{SourcePath: aws.String(b.reportDir())}}},
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(reg.TaskDefinition.TaskDefinitionArn), nil
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
	out, err := b.region.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: &b.definition, NetworkConfiguration: b.network})
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
	run := append([]string{"run", "-d", "--snapshotter", "overlayfs", "--mount", "type=bind,src=" + b.reportDir() + ",dst=/report,options=rbind:rw"}, b.options...)
	if err := b.command(ctx, append(run, image, id)...); err != nil {
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
