package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// elbAnswer are the members of Elastic Load Balancing's answers that the tests look at.
type elbAnswer struct {
	Group    string `xml:"CreateTargetGroupResult>TargetGroups>member>TargetGroupArn"`
	Balancer string `xml:"CreateLoadBalancerResult>LoadBalancers>member>LoadBalancerArn"`
	DNSName  string `xml:"CreateLoadBalancerResult>LoadBalancers>member>DNSName"`
	Listener string `xml:"CreateListenerResult>Listeners>member>ListenerArn"`
	Targets  []struct {
		ID    string `xml:"Target>Id"`
		Port  int    `xml:"Target>Port"`
		State string `xml:"TargetHealth>State"`
	} `xml:"DescribeTargetHealthResult>TargetHealthDescriptions>member"`
}

func elb(t testing.TB, action string, pairs ...string) (out elbAnswer) {
	t.Helper()
	if err := region.AskELB(detached(t), &out, action, pairs...); err != nil {
		t.Fatal(err)
	}
	return out
}

// balancedGroup is a target group by address, or by machine, that an internal network load balancer in the default subnet leads to, until the test ends.
func balancedGroup(t testing.TB, name, by string) string {
	t.Helper()
	s, vpc := subnet(t)
	g := elb(t, "CreateTargetGroup", "Name", name, "Protocol", "TCP", "Port", "80", "VpcId", vpc, "TargetType", by).Group
	t.Cleanup(func() { elb(t, "DeleteTargetGroup", "TargetGroupArn", g) })
	b := elb(t, "CreateLoadBalancer", "Name", name, "Type", "network", "Scheme", "internal", "Subnets.member.1", s).Balancer
	t.Cleanup(func() { elb(t, "DeleteLoadBalancer", "LoadBalancerArn", b) })
	elb(t, "CreateListener", "LoadBalancerArn", b, "Protocol", "TCP", "Port", "80", "DefaultActions.member.1.Type", "forward", "DefaultActions.member.1.TargetGroupArn", g)
	return g
}

// registered says whether an address is a target that does not drain.
func registered(t testing.TB, group, address string) bool {
	t.Helper()
	for _, target := range elb(t, "DescribeTargetHealth", "TargetGroupArn", group).Targets {
		if target.ID == address && target.Port == 80 && target.State != "draining" {
			return true
		}
	}
	return false
}

// A task is a target while it runs. When its container hears that it is to stop, load balancers send it nothing new any more, as seen by whoever asks for
// the targets after the container heard.
func TestATargetLeavesBeforeItsContainerHears(t *testing.T) {
	t.Parallel()
	g := balancedGroup(t, "leaves-first", "ip")
	dir := t.TempDir()
	// It lingers, so that who looks sees what a container with something to finish would.
	lingers := script("main", `trap 'echo > /told/term; sleep 2; exit 0' TERM; while :; do sleep 1000 & wait; done`, mount("told", "/told", false),
		func(c *types.ContainerDefinition) {
			c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80)}}
		})
	d := private(define(t, lingers))
	d.Volumes = []types.Volume{{Name: aws.String("told"), Host: &types.HostVolumeProperties{SourcePath: &dir}}}
	name := serve(t, d, 1, balancedBy(t, g))
	var task types.Task
	installation.Eventually(t, "the task runs", func(ctx context.Context) error {
		all, err := tasksOf(ctx, name)
		if err == nil && (len(all) != 1 || aws.ToString(all[0].LastStatus) != "RUNNING") {
			err = fmt.Errorf("tasks %+v", all)
		}
		if err == nil {
			task = all[0]
		}
		return err
	})
	awaitChildren(t, *task.TaskArn, 2) // the trap is set
	address := vpcTaskOf(t, task).address
	equal(t, "the task is a target once it runs", registered(t, g, address), true)
	update(t, &ecs.UpdateServiceInput{Service: &name, DesiredCount: aws.Int32(0)})
	installation.Eventually(t, "the container hears", func(context.Context) error {
		_, err := os.Stat(dir + "/term")
		return err
	})
	equal(t, "it is a target when its container hears", registered(t, g, address), false)
	await(t, name, "its targets gone", func(s types.Service) bool {
		return said(s, "registered 1 targets in (target-group "+g+")") && said(s, "deregistered 1 targets in (target-group "+g+")") && said(s, "has begun draining connections on 1 tasks.")
	})
}

// balancedBy puts a service of tasks with interfaces behind a target group.
func balancedBy(t testing.TB, g string) func(*ecs.CreateServiceInput) {
	s, _ := subnet(t)
	allowed := group(t, "web", 80)
	return func(in *ecs.CreateServiceInput) {
		in.LoadBalancers = []types.LoadBalancer{{TargetGroupArn: &g, ContainerName: aws.String("main"), ContainerPort: aws.Int32(80)}}
		in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{s}, SecurityGroups: []string{allowed}}}
		in.HealthCheckGracePeriodSeconds = aws.Int32(300)
	}
}

// A task in bridge mode is a target by its machine and the port that the machine chose for it, and reached by that, until somebody stops it.
func TestATargetByItsMachine(t *testing.T) {
	t.Parallel()
	s, vpc := subnet(t)
	g := elb(t, "CreateTargetGroup", "Name", "by-machine", "Protocol", "TCP", "Port", "80", "VpcId", vpc, "TargetType", "instance").Group
	t.Cleanup(func() { elb(t, "DeleteTargetGroup", "TargetGroupArn", g) })
	b := networkBalancer(t, "by-machine", "Scheme", "internal", "Subnets.member.1", s)
	leads(t, b.Balancer, "80", g)
	name := serve(t, define(t, peer("main", "tcp:80")), 1, func(in *ecs.CreateServiceInput) {
		in.LoadBalancers = []types.LoadBalancer{{TargetGroupArn: &g, ContainerName: aws.String("main"), ContainerPort: aws.Int32(80)}}
		in.HealthCheckGracePeriodSeconds = aws.Int32(300)
	})
	var task types.Task
	targetOf := func(arn string) error {
		for _, target := range elb(t, "DescribeTargetHealth", "TargetGroupArn", g).Targets {
			for _, b := range task.Containers[0].NetworkBindings {
				if *task.TaskArn == arn && strings.HasPrefix(target.ID, "i-") && target.Port == int(aws.ToInt32(b.HostPort)) && target.State != "draining" {
					return nil
				}
			}
		}
		return errors.New("it is no target")
	}
	installation.Eventually(t, "the task is a target", func(ctx context.Context) error {
		all, err := tasksOf(ctx, name)
		if err != nil || len(all) != 1 {
			return fmt.Errorf("tasks %+v: %w", all, err)
		}
		task = all[0]
		return targetOf(*task.TaskArn)
	})
	first := *task.TaskArn
	client := runningVPC(t, define(t, script("idle", idle)), group(t, "g", 0))
	installation.Eventually(t, "it is reached", func(ctx context.Context) error {
		at, err := outsideName(ctx, b.DNSName)
		if err == nil {
			_, err = client.fetchFrom("http://" + at + "/")
		}
		return err
	})
	if _, err := region.ECS.StopTask(t.Context(), &ecs.StopTaskInput{Task: &first}); err != nil {
		t.Fatal(err)
	}
	if targetOf(first) == nil {
		t.Error("it is a target when it was asked to stop")
	}
}

// What is wrong with a target group is told when the service is made.
func TestServiceBehindNothing(t *testing.T) {
	t.Parallel()
	_, vpc := subnet(t)
	g := elb(t, "CreateTargetGroup", "Name", "behind-nothing", "Protocol", "TCP", "Port", "80", "VpcId", vpc, "TargetType", "ip").Group
	t.Cleanup(func() { elb(t, "DeleteTargetGroup", "TargetGroupArn", g) })
	c := script("main", idle, func(c *types.ContainerDefinition) {
		c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80)}}
	})
	in := &ecs.CreateServiceInput{ServiceName: aws.String(family(t)), TaskDefinition: aws.String(register(t, private(define(t, c)))), DesiredCount: aws.Int32(1)}
	balancedBy(t, g)(in)
	_, err := region.ECS.CreateService(t.Context(), in)
	want := "The target group with targetGroupArn " + g + " does not have an associated load balancer."
	if e := (*types.InvalidParameterException)(nil); !errors.As(err, &e) || e.ErrorMessage() != want {
		t.Errorf("%v, want %q", err, want)
	}
}
