package hosts_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

// Machines whose clocks differ by minutes are a region: servers keep the store, also when one leads that is ahead, nodes join any of them, and tasks are
// placed, start and are replaced. Where the difference is more than signatures bear, the node says so, and by how much.
func TestClocksDiffer(t *testing.T) {
	w := hosts.New(t)
	a, b, c, early, late := w.Host(), w.Host(), w.Host(), w.Host(), w.Host()
	b.Clock(3 * time.Minute)
	early.Clock(-4 * time.Minute)
	late.Clock(4 * time.Minute)
	servers := []*hosts.Host{a, b, c}
	a.First()
	b.JoinServer(a)
	c.JoinServer(b)
	keep(t, b, servers)
	f := &fleet{t: t, world: w, servers: servers, node: late}
	late.JoinNode(b, "--image-pull-behavior=prefer-cached")
	early.JoinNode(a, "--image-pull-behavior=prefer-cached")
	installation.Eventually(t, "both nodes to be connected", func(ctx context.Context) error { return connected(ctx, c.ECS(), 2) })
	image := peerProgram(t)
	for _, n := range []*hosts.Host{early, late} {
		if err := n.Import(t.Context(), peerImage, image); err != nil {
			t.Fatal(err)
		}
	}

	f.lead(b)
	readTimes(t, servers, "clocks", 6)
	f.service(b.ECS(), "web", 4, nil)
	f.runs("web", 4)
	// One whose process died is replaced, as ever, and so it is when another server leads, whose clock is behind.
	f.dies("web", 4)
	if os.Getenv("BERTH_TEST_LONG") != "" {
		f.lead(a)
		f.dies("web", 4)
	}

	wrong := w.Host()
	wrong.Clock(11 * time.Minute)
	wrong.JoinNode(a)
	installation.Eventually(t, "a node to say how wrong its clock is", func(context.Context) error {
		for line := range strings.Lines(wrong.Log(hosts.Node)) {
			if strings.Contains(line, "differ by more than signatures may") && strings.Contains(line, "ahead_by=1") {
				return nil
			}
		}
		return fmt.Errorf("it says\n%s", wrong.LastLog(10))
	})
	if err := connected(t.Context(), c.ECS(), 2); err != nil {
		t.Error(err)
	}
}

// lead has a server lead: whoever else does is killed and comes back.
func (f *fleet) lead(want *hosts.Host) {
	f.t.Helper()
	for range 20 {
		leader := f.world.Leader(f.servers[0])
		if leader == want {
			return
		}
		leader.Kill(hosts.Server)
		f.world.Leader(others(f.servers, leader)[0])
		leader.Again(hosts.Server)
		leader.AwaitReady()
		keep(f.t, want, f.servers)
	}
	f.t.Fatalf("%s does not come to lead", want.Name)
}

// runs waits until a service has so many tasks, all of which run.
func (f *fleet) runs(service string, n int) {
	f.t.Helper()
	c := f.servers[2].ECS()
	installation.Eventually(f.t, service+" to run", func(ctx context.Context) error { _, err := running(ctx, c, service, n); return err })
}

// dies ends the process of one task, and waits for another in its place.
func (f *fleet) dies(service string, n int) {
	f.t.Helper()
	f.runs(service, n)
	c := f.servers[2].ECS()
	tasks, err := running(f.t.Context(), c, service, n)
	if err != nil {
		f.t.Fatal(err)
	}
	pid, err := process(tasks[0])
	if err != nil {
		f.t.Fatal(err)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	installation.Eventually(f.t, "another task", func(ctx context.Context) error {
		now, err := running(ctx, c, service, n)
		for _, task := range now {
			if aws.ToString(task.TaskArn) == aws.ToString(tasks[0].TaskArn) {
				err = fmt.Errorf("%s still runs", aws.ToString(task.TaskArn))
			}
		}
		return err
	})
	out, err := c.DescribeTasks(f.t.Context(), &ecs.DescribeTasksInput{Tasks: []string{*tasks[0].TaskArn}})
	if err != nil || len(out.Tasks) != 1 {
		f.t.Fatalf("%v %+v", err, out)
	}
	was := out.Tasks[0]
	if was.StartedAt.Before(*was.CreatedAt) || was.StoppingAt.Before(*was.StartedAt) || was.StoppedAt.Before(*was.StoppingAt) {
		f.t.Errorf("created %v, started %v, stopping %v, stopped %v", was.CreatedAt, was.StartedAt, was.StoppingAt, was.StoppedAt)
	}
}
