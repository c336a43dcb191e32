package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

const image = "test.local/ripple:1"

// Ports of the targets: the one whose rule changes, and the one of the other flows.
const (
	changing = 9000
	steady   = 9001
)

// place is a task's: its namespace, and its address.
type place struct{ netns, address string }

// world is a region with a target and a prober on each node.
type world struct {
	*bench
	server           *hosts.Host
	nodes            []*hosts.Host
	ecs              *ecs.Client
	subnet, other    string // of targets; of probers, who reach the first by their router: it asks nobody who has an address
	targets, probers []place
	group, source    string          // security groups of the two
	served           map[string]bool // targets that answer
}

func build(b *bench, servers, nodes int) *world {
	h := hosts.New(b)
	w := &world{bench: b}
	spec, err := images.Busybox(v1.Config{})
	must(b, err)
	for n := range servers {
		s := h.Host()
		if n == 0 {
			w.server = s
			s.First()
			continue
		}
		s.JoinServer(w.server)
	}
	for range nodes {
		n := h.Host()
		n.JoinNode(w.server, "--node-address="+n.Address.String(), "--image-pull-behavior=prefer-cached", "--fargate-runtime=runc", "--sandboxes-ahead=0")
		w.nodes = append(w.nodes, n)
	}
	w.ecs = w.server.ECS()
	installation.Eventually(b, "the nodes to be connected", func(ctx context.Context) error {
		out, err := w.ecs.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{Filter: aws.String("agentConnected == true")})
		if err == nil && len(out.ContainerInstanceArns) != nodes {
			err = fmt.Errorf("%d of them are", len(out.ContainerInstanceArns))
		}
		return err
	})
	for _, n := range w.nodes {
		must(b, n.Import(b.ctx, image, spec))
	}
	w.groups()
	_, err = w.ecs.RegisterTaskDefinition(b.ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("idle"), NetworkMode: types.NetworkModeAwsvpc, ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(image), Memory: aws.Int32(16), EntryPoint: []string{"sh", "-c"},
			Command: []string{"trap 'exit 0' TERM; sleep 1000000 & wait"},
		}},
	})
	must(b, err)
	w.targets, w.probers = w.spread("targets", w.group), w.spread("probers", w.source)
	return w
}

func must(b *bench, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

// groups makes the security groups and what stays allowed.
func (w *world) groups() {
	var subnets struct {
		Subnets []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	w.ask(&subnets, "DescribeSubnets", "Filter.1.Name", "default-for-az", "Filter.1.Value.1", "true", "Filter.2.Name", "availability-zone", "Filter.2.Value.1", installation.Region+"a")
	w.subnet = subnets.Subnets[0].ID
	var second struct {
		ID string `xml:"subnet>subnetId"`
	}
	w.ask(&second, "CreateSubnet", "VpcId", subnets.Subnets[0].VPC, "CidrBlock", "172.31.96.0/24", "AvailabilityZone", installation.Region+"a")
	w.other = second.ID
	for name, id := range map[string]*string{"targets": &w.group, "probers": &w.source} {
		var made struct {
			ID string `xml:"groupId"`
		}
		w.ask(&made, "CreateSecurityGroup", "GroupName", name, "GroupDescription", "of a bench", "VpcId", subnets.Subnets[0].VPC)
		*id = made.ID
	}
	w.rule("AuthorizeSecurityGroupIngress", steady)
	var none struct{}
	w.ask(&none, "AuthorizeSecurityGroupIngress", "GroupId", w.group, "IpPermissions.1.IpProtocol", "icmp", "IpPermissions.1.FromPort", "-1", "IpPermissions.1.ToPort", "-1",
		"IpPermissions.1.Groups.1.GroupId", w.source)
}

func (w *world) ask(into any, action string, pairs ...string) {
	must(w.bench, w.server.AskEC2(w.ctx, into, action, pairs...))
}

// rule makes or takes away what lets probers ask a port of targets.
func (w *world) rule(action string, port int) {
	var none struct{}
	w.ask(&none, action, "GroupId", w.group, "IpPermissions.1.IpProtocol", "udp", "IpPermissions.1.FromPort", strconv.Itoa(port), "IpPermissions.1.ToPort", strconv.Itoa(port),
		"IpPermissions.1.Groups.1.GroupId", w.source)
}

func (w *world) network(group string) *types.NetworkConfiguration {
	subnet := w.subnet
	if group == w.source {
		subnet = w.other
	}
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{subnet}, SecurityGroups: []string{group}}}
}

// spread runs a task on each node, and answers where they are, in the order of the nodes.
func (w *world) spread(name, group string) []place {
	_, err := w.ecs.CreateService(w.ctx, &ecs.CreateServiceInput{
		ServiceName: &name, TaskDefinition: aws.String("idle"), DesiredCount: aws.Int32(int32(len(w.nodes))), NetworkConfiguration: w.network(group),
		PlacementConstraints: []types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}},
	})
	must(w.bench, err)
	var out []place
	installation.Eventually(w.bench, name+" to run", func(ctx context.Context) error {
		list, err := w.ecs.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: &name})
		if err != nil || len(list.TaskArns) != len(w.nodes) {
			return errors.Join(err, fmt.Errorf("%d tasks", len(list.TaskArns)))
		}
		tasks, err := w.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: list.TaskArns})
		if err != nil {
			return err
		}
		out, err = w.places(tasks.Tasks)
		return err
	})
	return out
}

func (w *world) places(tasks []types.Task) (out []place, err error) {
	for _, n := range w.nodes {
		running := rounds.Inits(n.Name)
		i := slices.IndexFunc(tasks, func(t types.Task) bool {
			return aws.ToString(t.LastStatus) == "RUNNING" && len(running[id(t)+"-0"]) == 1
		})
		if i < 0 {
			return nil, fmt.Errorf("none runs on %s", n.Name)
		}
		out = append(out, place{fmt.Sprintf("/proc/%d/ns/net", running[id(tasks[i])+"-0"][0].PID), address(tasks[i])})
	}
	return out, nil
}

func id(t types.Task) string {
	arn := aws.ToString(t.TaskArn)
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

func address(t types.Task) string {
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if aws.ToString(d.Name) == "privateIPv4Address" {
				return aws.ToString(d.Value)
			}
		}
	}
	return ""
}
