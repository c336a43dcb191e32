package hosts_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

// A node goes on while servers die, one and all, and follows those that come back; until it is removed.
func TestNodesOutliveServers(t *testing.T) {
	f := newFleet(t)
	f.leaderDies()
	f.allAway(awayFor())
	f.removed()
	f.lost()
}

// awayFor is how long all servers are gone: long enough for the restart policy, which acts after a minute of running.
func awayFor() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("BERTH_TEST_AWAY")); err == nil {
		return d
	}
	return time.Minute
}

// leaderDies: a service that wants one more task gets it, placed by the next leader and started by a node that goes to another server.
func (f *fleet) leaderDies() {
	t := f.t
	t.Helper()
	leader := f.world.Leader(f.servers[0])
	rest := others(f.servers, leader)
	stop := use(t, rest)
	c := rest[0].ECS()
	killed := time.Now()
	leader.Kill(hosts.Server)
	installation.Eventually(t, "a wish", func(ctx context.Context) error {
		_, err := c.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(3)})
		return err
	})
	wished := time.Since(killed)
	var placed time.Duration
	installation.Eventually(t, "a placement", func(ctx context.Context) error {
		list, err := c.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: aws.String("web")})
		if err == nil && len(list.TaskArns) != 3 {
			err = fmt.Errorf("%d tasks", len(list.TaskArns))
		}
		placed = time.Since(killed)
		return err
	})
	installation.Eventually(t, "the third task to run", func(ctx context.Context) error { _, err := running(ctx, c, "web", 3); return err })
	t.Logf("the leading server was killed: a write after %v, the next placement after %v, its task runs after %v",
		wished.Round(time.Millisecond), placed.Round(time.Millisecond), time.Since(killed).Round(time.Millisecond))
	stop()
	leader.Again(hosts.Server)
	leader.AwaitReady()
}

// allAway: without a server tasks reach each other, and a restart policy acts; what ended meanwhile is replaced when they are back.
func (f *fleet) allAway(long time.Duration) {
	t := f.t
	t.Helper()
	c := f.servers[0].ECS()
	web, err := running(t.Context(), c, "web", 3)
	if err != nil {
		t.Fatal(err)
	}
	once, err := running(t.Context(), c, "once", 1)
	if err != nil {
		t.Fatal(err)
	}
	ask := f.at(web[0]) + "/get?url=" + f.at(web[1])
	for _, h := range f.servers {
		h.Kill(hosts.Server)
	}
	back := make(chan struct{})
	var asking sync.WaitGroup
	var asked, failed int
	asking.Go(func() {
		client := f.servers[0].HTTP()
		for done := false; !done; asked++ {
			if answer, err := get(t.Context(), client, ask); err != nil || !strings.Contains(answer, "web") {
				failed++
				t.Logf("a request between tasks: %q %v", answer, err)
			}
			select {
			case <-back:
				done = true
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	<-time.After(long)
	for _, task := range append(web[2:3:3], once[0]) {
		pid, err := process(task)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	installation.Eventually(t, "the restart policy to act", func(ctx context.Context) error {
		_, err := get(ctx, f.servers[0].HTTP(), f.at(web[2]))
		return err
	})
	for _, h := range f.servers {
		h.Again(hosts.Server)
	}
	f.servers[0].AwaitReady()
	ready := time.Now()
	installation.Eventually(t, "the node to have caught up", func(ctx context.Context) error {
		now, err := running(ctx, c, "once", 1)
		if err == nil && aws.ToString(now[0].TaskArn) == aws.ToString(once[0].TaskArn) {
			err = errors.New("the task that ended counts as running")
		}
		return err
	})
	t.Logf("all servers were away for %v: caught up %v after the return; %d requests between tasks, %d failed", long, time.Since(ready).Round(time.Millisecond), asked, failed)
	close(back)
	asking.Wait()
	if failed > 0 {
		t.Errorf("%d of %d requests between tasks failed", failed, asked)
	}
	if now, err := running(t.Context(), c, "web", 3); err != nil {
		t.Errorf("tasks whose containers came back: %v %v", now, err)
	}
}

// removed: a machine that was removed has no session and gets none; its certificate never was one of a server.
func (f *fleet) removed() {
	t := f.t
	t.Helper()
	f.strangerAtPeers()
	c := f.servers[1].ECS()
	old, err := c.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{})
	if err != nil || len(old.ContainerInstanceArns) != 1 {
		t.Fatalf("%+v %v", old, err)
	}
	f.old, f.spare = old.ContainerInstanceArns[0], f.world.Host()
	f.spare.JoinNode(f.servers[0], "--image-pull-behavior=prefer-cached")
	installation.Eventually(t, "another node to be connected", func(ctx context.Context) error { return connected(ctx, c, 2) })
	if err := f.spare.Import(t.Context(), peerImage, peerProgram(t)); err != nil {
		t.Fatal(err)
	}
	machines, err := f.servers[0].Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.servers[0].Must("machines", "remove", machines[f.node.Name])
	installation.Eventually(t, "the node's session to end", func(ctx context.Context) error { return connected(ctx, c, 1) })
	installation.Eventually(t, "the node to be refused", func(context.Context) error {
		for _, h := range f.servers {
			if strings.Contains(h.Log(hosts.Server), "a machine was refused") || strings.Contains(h.Log(hosts.Server), "session refused") {
				return nil
			}
		}
		return errors.New("no server says so")
	})
	if err := connected(t.Context(), c, 1); err != nil {
		t.Error(err)
	}
}

// lost: the tasks of a node whose machine is gone, and was removed, are replaced on another.
func (f *fleet) lost() {
	t := f.t
	t.Helper()
	c := f.servers[2].ECS()
	f.node.Destroy()
	f.node = f.spare
	for service, n := range map[string]int{"web": 3, "once": 1} {
		installation.Eventually(t, service+" to run on another node", func(ctx context.Context) error {
			tasks, err := running(ctx, c, service, n)
			for _, task := range tasks {
				if aws.ToString(task.ContainerInstanceArn) == f.old {
					return fmt.Errorf("%s is on the node that is lost", aws.ToString(task.TaskArn))
				}
			}
			return err
		})
	}
}

// strangerAtPeers: the servers' own port is closed to a node's certificate, although the authority is the same.
func (f *fleet) strangerAtPeers() {
	t := f.t
	t.Helper()
	for name, wantRefused := range map[string]bool{"machine": true, "peer": false} {
		from := f.node
		if name == "peer" {
			from = f.servers[1]
		}
		cert, err := authority.KeyPairAt(from.DataDir(), name).Load()
		if err != nil {
			t.Fatal(err)
		}
		if refused := f.refusedByPeer(*cert); (refused != nil) != wantRefused {
			t.Errorf("the certificate %s of %s at the peers' port: %v", name, from.Name, refused)
		}
	}
}

// refusedByPeer answers why a server's port for its peers does not take a certificate.
func (f *fleet) refusedByPeer(cert tls.Certificate) error {
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	plain, err := f.node.Dial(ctx, "tcp", f.servers[0].Peer())
	if err != nil {
		f.t.Fatal(err)
	}
	defer plain.Close()
	c := tls.Client(plain, &tls.Config{Certificates: []tls.Certificate{cert}, InsecureSkipVerify: true}) // who is refused is the question, not by whom
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := fmt.Fprintf(c, "GET /version HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", net.JoinHostPort("peer", "2380")); err != nil {
		return err
	}
	answer := make([]byte, 12)
	if _, err := c.Read(answer); err != nil {
		return err
	}
	if !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		return fmt.Errorf("it answers %q", answer)
	}
	return nil
}
