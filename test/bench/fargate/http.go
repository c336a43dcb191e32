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

	"github.com/berth-ecs/berth/test/bench/abba"
	"github.com/berth-ecs/berth/test/images"
)

// load serves, or asks over four connections for a second and prints how many nanoseconds one request took.
const load = `package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	if os.Args[1] == "serve" {
		http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
		panic(http.ListenAndServe(":80", nil))
	}
	var asked atomic.Int64
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	ask := func() error {
		r, err := c.Get("http://" + os.Args[2] + "/")
		if err != nil {
			return err
		}
		io.Copy(io.Discard, r.Body)
		return r.Body.Close()
	}
	for end := time.Now().Add(5 * time.Second); ask() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			panic("no server")
		}
	}
	var all sync.WaitGroup
	began := time.Now()
	for range 4 {
		all.Go(func() {
			for time.Since(began) < time.Second {
				if err := ask(); err != nil {
					panic(err)
				}
				asked.Add(1)
			}
		})
	}
	all.Wait()
	fmt.Println(time.Since(began).Nanoseconds() / asked.Load())
}
`

const loadImage = "bench.local/load:1"

// http asks from a sandboxed task for what a task on runc serves, and from a sandbox by hand for what a process serves behind one plain pair
// of links.
func (b *bench) http(ctx context.Context) (err error) {
	binary, err := images.Compile(ctx, b.DataDir, "load", load, "")
	if err != nil {
		return err
	}
	spec, err := images.Program(binary, v1.Config{Entrypoint: []string{"/load"}})
	if err == nil {
		err = b.Import(ctx, loadImage, spec)
	}
	if err != nil {
		return err
	}
	network, err := b.Private(ctx, "http")
	if err != nil {
		return err
	}
	server, err := b.serve(ctx, network)
	if err != nil {
		return err
	}
	b.cpu = "1024"
	definition, err := b.define(ctx, "load", types.ContainerDefinition{Name: aws.String("first"), Image: aws.String(loadImage), Command: []string{"ask", server}})
	if err != nil {
		return err
	}
	h, err := openHand(ctx, filepath.Dir(b.sockets), filepath.Join(b.BinDir, "runsc"), binary)
	if h != nil {
		defer func() { err = errors.Join(err, h.close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	task := &abba.Arm{Name: "task", Once: func(ctx context.Context) (time.Duration, error) { return b.ask(ctx, definition, network) }}
	hand := &abba.Arm{Name: "by hand", Once: h.ask}
	again := &abba.Arm{Name: "by hand again", Once: h.ask}
	if err := abba.Run(ctx, b.rounds, task, hand, again); err != nil {
		return err
	}
	fmt.Println("HTTP requests/s out of a sandbox of 1 vCPU, 4 connections")
	abba.Rates(os.Stdout, hand, task, hand, again)
	fmt.Println("target: the first ratio at least 0.95; the last is the noise")
	return nil
}

// ask runs a task that asks, and answers what one request took.
func (b *bench) ask(ctx context.Context, definition string, network *types.NetworkConfiguration) (time.Duration, error) {
	arn, err := b.runTask(ctx, definition, network)
	if err == nil {
		err = b.reach(ctx, arn, "STOPPED")
	}
	if err != nil {
		return 0, err
	}
	said, err := b.output(ctx, arn, "first")
	if err != nil {
		return 0, err
	}
	if err := b.settled(ctx); err != nil {
		return 0, err
	}
	return nanoseconds(said)
}

// serve runs a task on runc that serves, and answers its address.
func (b *bench) serve(ctx context.Context, network *types.NetworkConfiguration) (string, error) {
	out, err := b.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("serve"), NetworkMode: types.NetworkModeAwsvpc, ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(loadImage), Command: []string{"serve"}, Memory: aws.Int32(64), StopTimeout: aws.Int32(2),
		}},
	})
	if err != nil {
		return "", err
	}
	got, err := b.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: out.TaskDefinition.TaskDefinitionArn, NetworkConfiguration: network})
	if err != nil {
		return "", err
	}
	if len(got.Tasks) != 1 {
		return "", fmt.Errorf("RunTask: %+v", got.Failures)
	}
	arn := aws.ToString(got.Tasks[0].TaskArn)
	if err := b.reach(ctx, arn, "RUNNING"); err != nil {
		return "", err
	}
	task, err := b.Task(ctx, arn)
	if err != nil {
		return "", err
	}
	for _, d := range task.Attachments[0].Details {
		if aws.ToString(d.Name) == "privateIPv4Address" {
			return aws.ToString(d.Value), nil
		}
	}
	return "", errors.New("the task has no address")
}

func nanoseconds(text string) (time.Duration, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return time.Duration(n), err
}
