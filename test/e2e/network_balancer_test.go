package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/test/installation"
)

// A network load balancer at an Elastic address, with a security group, leads to an ECS service. One that is internal and has no groups leads to a task
// that was registered by hand. A connection to a target that is deregistered goes on until the delay is over.
func TestANetworkLoadBalancer(t *testing.T) {
	t.Parallel()
	s, vpc := subnet(t)
	eip := ec2(t, "AllocateAddress", "Domain", "vpc")
	t.Cleanup(func() { released(t, eip.Allocation) })
	clients := group(t, "clients", 80)
	served, alone := tcpGroup(t, vpc, "nlb-served"), tcpGroup(t, vpc, "nlb-alone")
	elb(t, "ModifyTargetGroupAttributes", "TargetGroupArn", alone, "Attributes.member.1.Key", "deregistration_delay.timeout_seconds", "Attributes.member.1.Value", "4",
		"Attributes.member.2.Key", "deregistration_delay.connection_termination.enabled", "Attributes.member.2.Value", "true")
	outside := networkBalancer(t, "nlb-outside", "Scheme", "internet-facing", "SubnetMappings.member.1.SubnetId", s, "SubnetMappings.member.1.AllocationId", eip.Allocation,
		"SecurityGroups.member.1", clients)
	leads(t, outside.Balancer, "80", served)
	leads(t, outside.Balancer, "81", served) // which the security group does not let in
	inner := networkBalancer(t, "nlb-inside", "Scheme", "internal", "Subnets.member.1", s)
	leads(t, inner.Balancer, "80", alone)
	serve(t, private(define(t, peer("main", "tcp:80"))), 1, balancedBy(t, served))
	task := runningVPC(t, define(t, peer("main", "tcp:80")), group(t, "alone", 80))
	elb(t, "RegisterTargets", "TargetGroupArn", alone, "Targets.member.1.Id", task.address, "Targets.member.1.Port", "80")

	installation.Eventually(t, "the name leads to the Elastic address, and that to the service", func(ctx context.Context) error {
		if a, err := outsideName(ctx, outside.DNSName); err != nil || a != eip.Public {
			return fmt.Errorf("the name leads to %q, not %s: %w", a, eip.Public, err)
		}
		_, err := fetch("http://" + eip.Public + ":80/")
		return err
	})
	address := ""
	installation.Eventually(t, "a task reaches the internal one", func(ctx context.Context) (err error) {
		if address, err = outsideName(ctx, inner.DNSName); err != nil {
			return err
		}
		_, err = task.fetchFrom("http://" + address + "/")
		return err
	})
	if !strings.HasPrefix(address, "172.31.") {
		t.Errorf("the internal one is at %s", address)
	}
	if _, err := (&http.Client{Timeout: 2 * time.Second}).Get("http://" + eip.Public + ":81/"); err == nil {
		t.Error("its security group lets everything in")
	}
	endsWithItsTarget(t, task, address+":80", alone)
}

// endsWithItsTarget deregisters the task, which lives on: a connection to it is served while it drains, and ends when the delay is over.
func endsWithItsTarget(t *testing.T, task vpcTask, to, group string) {
	t.Helper()
	c, err := task.dial(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	if err := askOn(c, in); err != nil {
		t.Fatal(err)
	}
	elb(t, "DeregisterTargets", "TargetGroupArn", group, "Targets.member.1.Id", task.address, "Targets.member.1.Port", "80")
	drained := 0
	for {
		all := elb(t, "DescribeTargetHealth", "TargetGroupArn", group).Targets
		if len(all) == 0 {
			break
		}
		equal(t, "state", all[0].State, "draining")
		if err := askOn(c, in); err != nil {
			if len(elb(t, "DescribeTargetHealth", "TargetGroupArn", group).Targets) > 0 {
				t.Fatalf("the connection ends while its target drains: %v", err)
			}
			break
		}
		drained++
		<-time.After(100 * time.Millisecond)
	}
	if drained == 0 {
		t.Error("the target was gone while it had a connection")
	}
	_ = c.SetReadDeadline(time.Now().Add(installation.Patience))
	if _, err := in.ReadByte(); err == nil || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		t.Errorf("the connection goes on: %v", err)
	}
	if _, err := task.fetchFrom("http://" + task.address + "/"); err != nil {
		t.Errorf("the task does not live on: %v", err)
	}
}

func isTimeout(err error) bool {
	n := net.Error(nil)
	return errors.As(err, &n) && n.Timeout()
}

// askOn asks on a connection that stays.
func askOn(c net.Conn, in *bufio.Reader) error {
	_ = c.SetDeadline(time.Now().Add(installation.Patience))
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

func tcpGroup(t testing.TB, vpc, name string) string {
	t.Helper()
	g := elb(t, "CreateTargetGroup", "Name", name, "Protocol", "TCP", "Port", "80", "VpcId", vpc, "TargetType", "ip").Group
	t.Cleanup(func() { elb(t, "DeleteTargetGroup", "TargetGroupArn", g) })
	return g
}

func networkBalancer(t testing.TB, name string, pairs ...string) elbAnswer {
	t.Helper()
	b := elb(t, "CreateLoadBalancer", append([]string{"Name", name, "Type", "network"}, pairs...)...)
	t.Cleanup(func() { elb(t, "DeleteLoadBalancer", "LoadBalancerArn", b.Balancer) })
	return b
}

func leads(t testing.TB, balancer, port, group string) {
	t.Helper()
	elb(t, "CreateListener", "LoadBalancerArn", balancer, "Protocol", "TCP", "Port", port, "DefaultActions.member.1.Type", "forward", "DefaultActions.member.1.TargetGroupArn", group)
}

// outsideName is the one address that a name has for who is outside.
func outsideName(ctx context.Context, name string) (string, error) {
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", region.DNS)
	}}
	all, err := r.LookupHost(ctx, name+".")
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("%s leads to %v", name, all)
	}
	if err != nil {
		return "", err
	}
	return all[0], nil
}

// released gives an Elastic address back when nothing has it any more.
func released(t testing.TB, allocation string) {
	t.Helper()
	_, err := ec2Try("ReleaseAddress", "AllocationId", allocation)
	for end := time.Now().Add(installation.Patience); err != nil && time.Now().Before(end); {
		_, err = ec2Try("ReleaseAddress", "AllocationId", allocation)
	}
	if err != nil {
		t.Errorf("the Elastic address does not go: %v", err)
	}
}
