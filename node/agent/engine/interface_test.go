package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/session"
)

// private is payload in awsvpc.
func private(edit func(map[string]*session.Container), names ...string) session.Task {
	t := payload(edit, names...)
	t.NetworkMode = "awsvpc"
	t.ElasticNetworkInterfaces = []session.ElasticNetworkInterface{{
		EC2ID: "eni-1", AttachmentArn: "arn:a", MacAddress: "0a:00:00:00:00:01", PrivateDNSName: "ip-10-0-0-4.ec2.internal",
		IPv4Addresses: []session.IPv4Address{{Primary: true, PrivateAddress: "10.0.0.4"}}, SubnetGatewayIpv4Address: "10.0.0.1/24",
		DomainName: []string{"ec2.internal"}, DomainNameServers: []string{"10.0.0.2"},
	}}
	return t
}

func after(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
}

func never(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// A task that starts at once says that its interface is there and that it runs in one report. Its containers share a namespace, which
// the network of the bridge knows nothing of.
func TestATaskWithAnInterface(t *testing.T) {
	r := newRig(t)
	synctest.Test(t, func(t *testing.T) {
		r.t = t
		r.run()
		r.accept(private(nil, "a", "b"))
		r.report()
		r.want("RUNNING [arn:a ATTACHED] a=RUNNING b=RUNNING")
		for _, c := range r.w.containers {
			if c.spec.Netns != "/interfaces/eni-1" || c.spec.Hostname != "ip-10-0-0-4.ec2.internal" {
				t.Errorf("container %s: %s %s", c.spec.Name, c.spec.Netns, c.spec.Hostname)
			}
		}
		if len(r.w.endpoints) > 0 {
			t.Errorf("endpoints on the bridge: %v", r.w.endpoints)
		}
		resolv, err := os.ReadFile(filepath.Join(r.dir, "tasks", taskID, "0", "resolv.conf"))
		if err != nil || !strings.HasPrefix(string(resolv), "nameserver 10.0.0.2\nsearch ec2.internal\n") {
			t.Errorf("resolv.conf %q %v", resolv, err)
		}
		r.end()

		r.run() // another process: it waits for no interface of what runs
		if tasks := r.e.Tasks(); tasks[0].Containers[1].Endpoint.Address.String() != "10.0.0.4" {
			t.Errorf("%+v", tasks[0].Containers[1].Endpoint)
		}
		r.accept(stopPayload())
		r.pass(time.Second)
		r.want("RUNNING [arn:a ATTACHED] a=RUNNING b=RUNNING", "STOPPED a=STOPPED,0 b=STOPPED,0")
		r.empty()
		r.end()
	})
}

// The images are pulled and all else is made while the interface comes. A server hears of one that is there before the task runs.
func TestTheInterfaceAndTheImageComeAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		interfaces, pull time.Duration
		want             []string
	}{
		"the interface is late": {20 * time.Second, 10 * time.Second, []string{"RUNNING [arn:a ATTACHED] a=RUNNING"}},
		"the image is late":     {5 * time.Second, 20 * time.Second, []string{" [arn:a ATTACHED]", "RUNNING a=RUNNING"}},
		"both are quick":        {time.Second, 2 * time.Second, []string{"RUNNING [arn:a ATTACHED] a=RUNNING"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			synctest.Test(t, func(t *testing.T) {
				r.t = t
				r.w.interfaces, r.w.behaviour["a"] = after(c.interfaces), behaviour{pulling: c.pull}
				r.run()
				r.accept(private(nil, "a"))
				for range 10 {
					r.pass(2 * time.Second)
				}
				r.pass(time.Second / 2)
				r.want(c.want...)
				r.end()
			})
		})
	}
}

func TestAnInterfaceThatDoesNotCome(t *testing.T) {
	for name, c := range map[string]struct {
		comes func(context.Context) error
		after time.Duration
		want  string
	}{
		"late":  {never, attachPatience + time.Second, "STOPPED (Timeout waiting for network interface provisioning to complete.) a=STOPPED b=STOPPED"},
		"wrong": {func(context.Context) error { return errors.New("no such thing") }, time.Second, "STOPPED (ResourceInitializationError: unable to attach network interface eni-1: no such thing) a=STOPPED b=STOPPED"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			synctest.Test(t, func(t *testing.T) {
				r.t = t
				r.w.interfaces = c.comes
				r.run()
				r.accept(private(nil, "a", "b"))
				r.pass(c.after)
				r.pass(time.Second)
				r.want(c.want)
				r.empty()
				r.end()
			})
		})
	}
}

// A task that is stopped while it waits for its interface waits no longer, and says nothing of it.
func TestStoppedWhileItWaits(t *testing.T) {
	r := newRig(t)
	synctest.Test(t, func(t *testing.T) {
		r.t = t
		r.w.interfaces = never
		r.run()
		r.accept(private(nil, "a"))
		r.pass(10 * time.Second)
		r.accept(stopPayload())
		r.pass(time.Second)
		r.want("STOPPED a=STOPPED")
		r.end()
	})
}

// A process that ends while a task waits for its interface leaves the wait to the next.
func TestTheNextProcessWaits(t *testing.T) {
	r := newRig(t)
	synctest.Test(t, func(t *testing.T) {
		r.t = t
		r.w.interfaces = never
		r.run()
		r.accept(private(nil, "a"))
		r.pass(time.Second)
		r.end()
		r.w.interfaces = nil
		r.run()
		r.pass(time.Second)
		r.want("RUNNING [arn:a ATTACHED] a=RUNNING")
		r.end()
	})
}

func TestInterfacesThatCannotBe(t *testing.T) {
	for name, edit := range map[string]func(*session.Task){
		"none": func(in *session.Task) { in.ElasticNetworkInterfaces = nil },
		"two": func(in *session.Task) {
			in.ElasticNetworkInterfaces = append(in.ElasticNetworkInterfaces, in.ElasticNetworkInterfaces[0])
		},
		"no id":      func(in *session.Task) { in.ElasticNetworkInterfaces[0].EC2ID = "../x" },
		"no address": func(in *session.Task) { in.ElasticNetworkInterfaces[0].IPv4Addresses = nil },
		"nonsense":   func(in *session.Task) { in.ElasticNetworkInterfaces[0].IPv4Addresses[0].PrivateAddress = "fd00::1" },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			synctest.Test(t, func(t *testing.T) {
				r.t = t
				r.run()
				in := private(nil, "a")
				edit(&in)
				r.accept(in)
				r.report()
				if len(r.reports) != 1 || !strings.HasPrefix(r.reports[0], "STOPPED (UnrecogniedTaskError: Error loading task - elasticNetworkInterfaces") {
					t.Errorf("%q", r.reports)
				}
				r.end()
			})
		})
	}
}

func stopPayload() session.Task {
	return session.Task{Arn: taskARN, DesiredStatus: StatusStopped, Containers: []session.Container{}}
}
