package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// serve answers on port 80.
const serve = `trap 'exit 0' TERM; mkdir /www; echo alive > /www/index.html; httpd -f -p 80 -h /www & wait`

// clients ask the containers again and again, each time by a new connection.
type clients struct {
	asked, failed atomic.Int64
	first         atomic.Pointer[string] // failure
	stop          context.CancelFunc
	workers       sync.WaitGroup
}

func (w *world) clients(addresses []string) *clients {
	ctx, cancel := context.WithCancel(w.t.Context())
	c := &clients{stop: cancel}
	for _, address := range addresses {
		client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		c.workers.Go(func() {
			for ctx.Err() == nil {
				err := ask(client, address)
				c.asked.Add(1)
				if err != nil {
					c.failed.Add(1)
					text := err.Error()
					c.first.CompareAndSwap(nil, &text)
				}
			}
		})
	}
	w.t.Cleanup(c.end)
	return c
}

func ask(client *http.Client, address string) error {
	resp, err := client.Get("http://" + address + "/")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && string(body) != "alive\n" {
		err = fmt.Errorf("%s: %q", resp.Status, body)
	}
	return err
}

func (c *clients) end() {
	c.stop()
	c.workers.Wait()
}

// judge fails when a request did, or hardly any was made.
func (c *clients) judge(t *testing.T) {
	t.Helper()
	if n := c.failed.Load(); n > 0 {
		t.Errorf("%d of %d requests failed, the first: %s", n, c.asked.Load(), *c.first.Load())
	}
	if n := c.asked.Load(); n < 100 {
		t.Errorf("only %d requests were made", n)
	}
	t.Logf("%d requests, %d failed", c.asked.Load(), c.failed.Load())
}

// TestReplace puts new programs in the place of server and node while a service is asked. No container notices.
func TestReplace(t *testing.T) {
	w := begin(t, installation.Options{})
	next, err := installation.Build(t.Context(), t.TempDir(), "9.8.7", "")
	if err != nil {
		t.Fatal(err)
	}
	tasks := w.service("web", 2)
	var addresses []string
	before := map[string]int{}
	for _, task := range tasks {
		before[*task.TaskArn] = w.first(*task.TaskArn)
		addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", aws.ToInt32(task.Containers[0].NetworkBindings[0].HostPort)))
	}
	hold, daemon := w.process("berth", "--run-dir="+w.RunDir), w.process("containerd", w.RunDir)
	c := w.clients(addresses)
	for _, r := range []installation.Role{installation.Node, installation.Server} {
		if err := w.Stop(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		w.Use(r, next)
		if err := w.Begin(r); err != nil {
			t.Fatal(err)
		}
		if err := w.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.eventually("the new node says its version", func() error { return w.version("9.8.7") })
	// The region works: a task of the new programs, then one more replacement, by a kill.
	w.stop(w.running(define("after", idle)))
	w.Kill(installation.Server)
	w.Kill(installation.Node)
	for _, r := range []installation.Role{installation.Server, installation.Node} {
		if err := w.Begin(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.stop(w.running(define("after", idle)))
	c.end()
	c.judge(t)
	for arn, pid := range before {
		if now := w.first(arn); now != pid || w.status(arn) != "RUNNING" {
			t.Errorf("%s was process %d and is %d, %s", arn, pid, now, w.status(arn))
		}
	}
	if h, d := w.process("berth", "--run-dir="+w.RunDir), w.process("containerd", w.RunDir); h != hold || d != daemon {
		t.Errorf("hold was %d and is %d, containerd was %d and is %d", hold, h, daemon, d)
	}
}

// service makes a service and answers its tasks once they run.
func (w *world) service(name string, desired int) []types.Task {
	w.t.Helper()
	d := define(name, serve)
	d.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80)}}
	if _, err := w.ECS.RegisterTaskDefinition(w.t.Context(), d); err != nil {
		w.t.Fatal(err)
	}
	_, err := w.ECS.CreateService(w.t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String(name), TaskDefinition: aws.String(name), DesiredCount: aws.Int32(int32(desired)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.serving(name, desired)
}

// serving waits until a service has its tasks, all running, and answers them.
func (w *world) serving(name string, desired int) (tasks []types.Task) {
	w.t.Helper()
	w.eventually(name+" is steady", func() error {
		list, err := w.ECS.ListTasks(w.t.Context(), &ecs.ListTasksInput{ServiceName: aws.String(name)})
		if err != nil {
			return err
		}
		if len(list.TaskArns) != desired {
			return fmt.Errorf("it has %d tasks", len(list.TaskArns))
		}
		out, err := w.ECS.DescribeTasks(w.t.Context(), &ecs.DescribeTasksInput{Tasks: list.TaskArns})
		if err != nil {
			return err
		}
		tasks = out.Tasks
		for _, t := range tasks {
			if aws.ToString(t.LastStatus) != "RUNNING" {
				return fmt.Errorf("%s is %s", *t.TaskArn, *t.LastStatus)
			}
		}
		return nil
	})
	return tasks
}

// version checks what the container instance says of its agent.
func (w *world) version(want string) error {
	list, err := w.ECS.ListContainerInstances(w.t.Context(), &ecs.ListContainerInstancesInput{})
	if err != nil {
		return err
	}
	out, err := w.ECS.DescribeContainerInstances(w.t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil {
		return err
	}
	if got := aws.ToString(out.ContainerInstances[0].VersionInfo.AgentVersion); got != want {
		return fmt.Errorf("the agent is of version %s, want %s", got, want)
	}
	return nil
}

// TestServerGone: while there is no server the node goes on, and tells afterwards what happened and when.
func TestServerGone(t *testing.T) {
	w := begin(t, installation.Options{})
	stays, ends := w.running(define("stays", idle)), w.running(define("ends", `sleep 2; exit 7`))
	before := w.first(stays)
	if err := w.Stop(t.Context(), installation.Server); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()
	w.eventually("the container ends", func() error {
		if pid := w.first(ends); pid != 0 {
			return fmt.Errorf("it is process %d", pid)
		}
		return nil
	})
	ended := time.Now()
	select { // the node has long to find that nobody listens
	case <-w.Ended(installation.Node):
		t.Fatal("the node ended")
	case <-time.After(3 * time.Second):
	}
	if err := w.Begin(installation.Server); err != nil {
		t.Fatal(err)
	}
	if err := w.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	task := w.AwaitTask(t, ends, "STOPPED")
	if code := aws.ToInt32(task.Containers[0].ExitCode); code != 7 || task.StopCode != types.TaskStopCodeEssentialContainerExited {
		t.Errorf("exit code %d, stop code %s", code, task.StopCode)
	}
	const slack = 500 * time.Millisecond
	if at := aws.ToTime(task.ExecutionStoppedAt); at.Before(gone.Add(-slack)) || at.After(ended.Add(slack)) {
		t.Errorf("executionStoppedAt is %s; it ended before %s", at, ended)
	}
	if now := w.first(stays); now != before || w.status(stays) != "RUNNING" {
		t.Errorf("the other was process %d and is %d, %s", before, now, w.status(stays))
	}
	w.stop(stays)
}
