package hosts_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/miekg/dns"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

// balanced is a region of a server and three nodes: two in the first zone, where a load balancer's node is on one of them, and one in the second, with the
// other node and both tasks behind it.
type balanced struct {
	t        *testing.T
	c        *ecs.Client
	server   *hosts.Host
	first    []*hosts.Host // of the first zone
	second   *hosts.Host
	subnets  [2]string
	balancer string   // ARN
	group    string   // ARN
	name     string   // of the load balancer, for resolvers
	lost     []string // interfaces of nodes, and addresses of targets, that are to be gone
	client   int      // a process in the VPC, on the second zone's node
}

// A load balancer serves while every server is away and what is behind it dies, and its Envoy too; and when a machine of it dies, its other zone's node
// serves on, the name leads to what serves, and another machine has the node.
func TestBalancersOutlive(t *testing.T) {
	t.Parallel()
	b := newBalanced(t)
	b.withoutServers()
	b.secrets()
	b.machineDies()
}

func newBalanced(t *testing.T) *balanced {
	t.Helper()
	if _, err := os.Stat(filepath.Join(cmp.Or(os.Getenv("BERTH_BIN_DIR"), "/opt/berth/bin"), "envoy")); err != nil {
		t.Skip("this machine has no Envoy (make tools)")
	}
	w := hosts.New(t)
	b := &balanced{t: t, server: w.Host(), first: []*hosts.Host{w.Host(), w.Host()}, second: w.Host()}
	b.server.First()
	for _, h := range append(slices.Clone(b.first), b.second) {
		zone := installation.Region + "a"
		if h == b.second {
			zone = installation.Region + "b"
		}
		h.JoinNode(b.server, "--node-address="+h.Address.String(), "--image-pull-behavior=prefer-cached", "--zone="+zone)
	}
	b.c = b.server.ECS()
	installation.Eventually(t, "the nodes to be connected", func(ctx context.Context) error { return connected(ctx, b.c, 3) })
	if err := b.second.Import(t.Context(), peerImage, peerProgram(t)); err != nil {
		t.Fatal(err)
	}
	b.make()
	b.serve()
	return b
}

// elb asks, and answers the ARN that was made.
func (b *balanced) elb(action string, pairs ...string) string {
	b.t.Helper()
	var made struct {
		Group    string `xml:"CreateTargetGroupResult>TargetGroups>member>TargetGroupArn"`
		Balancer string `xml:"CreateLoadBalancerResult>LoadBalancers>member>LoadBalancerArn"`
		Name     string `xml:"CreateLoadBalancerResult>LoadBalancers>member>DNSName"`
	}
	if err := b.server.AskELB(b.t.Context(), &made, action, pairs...); err != nil {
		b.t.Fatal(err)
	}
	b.name = cmp.Or(made.Name, b.name)
	return cmp.Or(made.Group, made.Balancer)
}

// make makes the load balancer.
func (b *balanced) make() {
	b.t.Helper()
	var found struct {
		IDs []string `xml:"subnetSet>item>subnetId"`
		VPC []string `xml:"subnetSet>item>vpcId"`
	}
	for i, zone := range []string{"a", "b"} {
		err := b.server.AskEC2(b.t.Context(), &found, "DescribeSubnets", "Filter.1.Name", "availability-zone", "Filter.1.Value.1", installation.Region+zone)
		if err != nil || len(found.IDs) != i+1 {
			b.t.Fatalf("subnets %v, %v", found, err)
		}
		b.subnets[i] = found.IDs[i]
	}
	b.group = b.elb("CreateTargetGroup", "Name", "web", "Protocol", "HTTP", "Port", "80", "VpcId", found.VPC[0], "TargetType", "ip",
		"HealthCheckIntervalSeconds", "5", "HealthCheckTimeoutSeconds", "2", "HealthyThresholdCount", "2", "UnhealthyThresholdCount", "2")
	b.balancer = b.elb("CreateLoadBalancer", "Name", "web", "Scheme", "internal", "Subnets.member.1", b.subnets[0], "Subnets.member.2", b.subnets[1])
	b.elb("CreateListener", "LoadBalancerArn", b.balancer, "Protocol", "HTTP", "Port", "80",
		"DefaultActions.member.1.Type", "forward", "DefaultActions.member.1.TargetGroupArn", b.group)
}

// serve runs the tasks, and waits until all is there.
func (b *balanced) serve() {
	b.t.Helper()
	_, err := b.c.RegisterTaskDefinition(b.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("web"), NetworkMode: types.NetworkModeAwsvpc,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(peerImage), Memory: aws.Int32(32), Command: []string{"tcp:80"},
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80)}},
			Environment:  []types.KeyValuePair{{Name: aws.String("ANSWER"), Value: aws.String("web")}},
		}},
	})
	for name, in := range map[string]*ecs.CreateServiceInput{
		"web":    {DesiredCount: aws.Int32(2), LoadBalancers: []types.LoadBalancer{{TargetGroupArn: &b.group, ContainerName: aws.String("main"), ContainerPort: aws.Int32(80)}}},
		"client": {DesiredCount: aws.Int32(1)},
	} {
		in.ServiceName, in.TaskDefinition = aws.String(name), aws.String("web")
		in.PlacementConstraints = []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("attribute:ecs.availability-zone == " + installation.Region + "b")}}
		in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: b.subnets[1:]}}
		if err == nil {
			_, err = b.c.CreateService(b.t.Context(), in)
		}
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.whole("at first")
	client, err := running(b.t.Context(), b.c, "client", 1)
	if err == nil {
		b.client, err = process(client[0])
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// place is a node of the load balancer.
type place struct{ ID, Zone, Address string }

// whole waits until the load balancer has a node in each zone and two healthy targets, which are the tasks that run, and nothing of what is lost.
func (b *balanced) whole(when string) (places []place) {
	b.t.Helper()
	installation.Eventually(b.t, when+", a load balancer with all that it is to have", func(ctx context.Context) (err error) {
		var said struct {
			State   string `xml:"DescribeLoadBalancersResult>LoadBalancers>member>State>Code"`
			Targets []struct {
				ID    string `xml:"Target>Id"`
				State string `xml:"TargetHealth>State"`
			} `xml:"DescribeTargetHealthResult>TargetHealthDescriptions>member"`
		}
		err = errors.Join(b.server.AskELB(ctx, &said, "DescribeLoadBalancers"), b.server.AskELB(ctx, &said, "DescribeTargetHealth", "TargetGroupArn", b.group))
		if err != nil {
			return err
		}
		tasks, err := running(ctx, b.c, "web", 2)
		if err != nil {
			return err
		}
		var want, got []string
		for i := range tasks {
			want = append(want, addressOf(tasks[i])+" healthy")
		}
		for _, t := range said.Targets {
			got = append(got, t.ID+" "+t.State)
		}
		slices.Sort(want)
		slices.Sort(got)
		if places, err = b.places(ctx); err != nil {
			return err
		}
		for _, l := range b.lost {
			if slices.Contains(got, l+" healthy") || slices.ContainsFunc(places, func(p place) bool { return p.ID == l }) {
				return fmt.Errorf("%s is still there: %v, %v", l, places, got)
			}
		}
		if said.State != "active" || !slices.Equal(got, want) || len(places) != 2 {
			return fmt.Errorf("it is %s, its nodes are %v; targets %v, want %v", said.State, places, got, want)
		}
		return nil
	})
	return places
}

// places are the load balancer's nodes, in order of their zones.
func (b *balanced) places(ctx context.Context) (out []place, err error) {
	var found struct {
		All []struct {
			ID      string `xml:"networkInterfaceId"`
			Zone    string `xml:"availabilityZone"`
			Address string `xml:"privateIpAddress"`
		} `xml:"networkInterfaceSet>item"`
	}
	err = b.server.AskEC2(ctx, &found, "DescribeNetworkInterfaces", "Filter.1.Name", "requester-id", "Filter.1.Value.1", "amazon-elb")
	for _, i := range found.All {
		out = append(out, place(i))
	}
	slices.SortFunc(out, func(a, b place) int { return cmp.Compare(a.Zone, b.Zone) })
	return out, err
}

// inside runs f in the client's network.
func (b *balanced) inside(f func() error) error {
	return spacetest.InPath(fmt.Sprintf("/proc/%d/ns/net", b.client), f)
}

// ask asks an address once, over a connection of its own.
func (b *balanced) ask(ctx context.Context, address string) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: func(ctx context.Context, network, at string) (conn net.Conn, err error) {
			err = b.inside(func() (err error) { conn, err = (&net.Dialer{}).DialContext(ctx, network, at); return err })
			return conn, err
		},
	}}
	got, err := get(ctx, client, "http://"+address+"/")
	if err == nil && got != "web" {
		err = fmt.Errorf("%s answers %q", address, got)
	}
	return err
}

// asking asks addresses in turn until it is ended, and answers then how many requests there were; any that fails is the test's failure.
func (b *balanced) asking(what string, addresses ...string) (end func()) {
	var n, failed int
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for b.t.Context().Err() == nil {
			if err := b.ask(b.t.Context(), addresses[n%len(addresses)]); err != nil {
				failed++
				b.t.Logf("%s, at %s: %v", what, time.Now().UTC().Format(time.TimeOnly), err)
			}
			n++
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() {
		b.t.Helper()
		close(done)
		wg.Wait()
		b.t.Logf("%s: %d requests, %d failed", what, n, failed)
		if failed > 0 {
			b.t.Errorf("%s: %d of %d requests failed", what, failed, n)
		}
	}
}

// withoutServers: with no server there a target dies, and then every Envoy; when they are back all is as it should be.
func (b *balanced) withoutServers() {
	t := b.t
	t.Helper()
	places := b.whole("before")
	at := []string{places[0].Address, places[1].Address}
	tasks, err := running(t.Context(), b.c, "web", 2)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := process(tasks[0])
	if err != nil {
		t.Fatal(err)
	}
	b.lost = append(b.lost, addressOf(tasks[0]))
	b.server.Kill(hosts.Server)
	end := b.asking("without servers", at...)
	<-time.After(shortly())
	end()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.noticed("that a target died", at)
	end = b.asking("without servers, and one target dead", at...)
	<-time.After(shortly())
	end()
	for _, h := range append(slices.Clone(b.first), b.second) {
		for _, pid := range h.Processes(hosts.Envoy) {
			if err := hosts.End(t.Context(), pid); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.noticed("that Envoy died", at)
	end = b.asking("after Envoy began anew without servers", at...)
	b.server.Again(hosts.Server)
	b.server.AwaitReady()
	b.whole("with servers again")
	end()
}

// shortly is how long it is asked without servers.
func shortly() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("BERTH_TEST_AWAY")); err == nil {
		return d / 2
	}
	return time.Second
}

// noticed waits until many requests in a row are answered.
func (b *balanced) noticed(what string, at []string) {
	b.t.Helper()
	begun := time.Now()
	row := 0
	var last error
	for row < 40 {
		if err := b.ask(b.t.Context(), at[row%len(at)]); err != nil {
			row, last = 0, err
			continue
		}
		if row++; time.Since(begun) > installation.Patience {
			b.t.Fatalf("nobody notices %s: %v", what, last)
		}
	}
	b.t.Logf("noticed %s after %v at most", what, time.Since(begun).Round(time.Millisecond))
}

// machineDies: of the machine with the load balancer's node in the first zone.
func (b *balanced) machineDies() {
	t := b.t
	t.Helper()
	places := b.whole("before a machine dies")
	gone, stays := places[0], places[1]
	n := slices.IndexFunc(b.first, func(h *hosts.Host) bool {
		_, err := os.Stat(filepath.Join(h.RunDir(), "eni", gone.ID))
		return err == nil
	})
	if n < 0 {
		t.Fatalf("%s is on neither machine", gone.ID)
	}
	b.names("both nodes", gone.Address, stays.Address)
	end := b.asking("the other zone's node while a machine dies", stays.Address)
	died := time.Now()
	b.first[n].Kill(hosts.Node) // its connections end at once, as when a kernel stops in order; a cut cable is noticed half a minute later
	b.first[n].Destroy()
	b.names("the node that serves", stays.Address)
	t.Logf("a machine died: out of the name after %v", time.Since(died).Round(time.Millisecond))
	b.lost = append(b.lost, gone.ID)
	places = b.whole("after a machine died")
	t.Logf("and replaced after %v", time.Since(died).Round(time.Millisecond))
	b.names("both nodes again", places[0].Address, places[1].Address)
	installation.Eventually(t, "the new node to answer", func(ctx context.Context) error { return b.ask(ctx, places[0].Address) })
	end()
}

// names waits until the load balancer's name leads to addresses.
func (b *balanced) names(what string, want ...string) {
	b.t.Helper()
	slices.Sort(want)
	installation.Eventually(b.t, "the name to lead to "+what, func(context.Context) error {
		var got []string
		err := b.inside(func() error {
			m := new(dns.Msg)
			m.SetQuestion(dns.Fqdn(b.name), dns.TypeA)
			reply, _, err := (&dns.Client{Timeout: 5 * time.Second}).Exchange(m, "169.254.169.253:53")
			if err != nil {
				return err
			}
			for _, rr := range reply.Answer {
				if a, ok := rr.(*dns.A); ok {
					got = append(got, a.A.String())
				}
			}
			return nil
		})
		if slices.Sort(got); err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("it leads to %v, not to %v", got, want)
		}
		return err
	})
}
