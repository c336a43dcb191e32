package ecsapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// nodeIn registers a machine of berth's own in a zone, one for FARGATE, too.
func (r *region) nodeIn(name, zone string) string {
	r.Helper()
	in := machine()
	for k, v := range map[string]string{request.NodeAttribute: name, place.Zone: zone, place.Fargate: place.FargateOn} {
		in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(k), Value: aws.Ptr(v)})
	}
	for _, k := range []string{"ecs.capability.task-eni", "com.amazonaws.ecs.capability.docker-remote-api.1.18", "ecs.capability.task-cpu-mem-limit", "ecs.capability.extensible-ephemeral-storage"} {
		in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(k)})
	}
	in.TotalResources = append(in.TotalResources, shape.Resource{Name: aws.Ptr("EPHEMERAL_STORAGE"), Type: aws.Ptr("INTEGER"), IntegerValue: aws.Ptr(int32(250))})
	id := r.register(in)
	r.update(func(tx store.Tx) { tables.MarkConnected(tx, tables.MemberKey(us, "default", id), "s-"+name, true) })
	return id
}

// threeZones is a region with two nodes in zone a, one in b and one in c; subnets are in a and b.
func threeZones(t *testing.T) *region {
	t.Helper()
	r := newRegion(t)
	r.cluster()
	r.wired()
	r.tiny("tiny", nil)
	for name, zone := range map[string]string{"n1": "us-east-1a", "n2": "us-east-1a", "n3": "us-east-1b", "n4": "us-east-1c"} {
		r.nodeIn(name, zone)
	}
	return r
}

// homes are the subnets of tasks by zone: that of the task, of its container instance where it has one, and of its interface's subnet agree.
func (r *region) homes(tasks []shape.Task) map[string]int {
	r.Helper()
	out := map[string]int{}
	for _, task := range tasks {
		subnet := details(task)["subnetId"]
		zone := map[string]string{"subnet-a": "us-east-1a", "subnet-b": "us-east-1b"}[subnet]
		if *task.AvailabilityZone != zone {
			r.Errorf("a task in %s has an interface in %s", *task.AvailabilityZone, subnet)
		}
		if arn := aws.Val(task.ContainerInstanceArn); arn != "" {
			r.update(func(tx store.Tx) {
				i, _ := tables.Instances.Peek(tx, tables.MemberKey(us, "default", ecs.ShortID(arn)))
				if at, _ := place.AttributeOf(i.Attributes, place.Zone); at != zone {
					r.Errorf("a task with an interface in %s runs in %s", subnet, at)
				}
			})
		}
		r.update(func(tx store.Tx) {
			if i, ok := networktest.Interfaces.Peek(tx, tables.At(us).Key(details(task)["networkInterfaceId"])); !ok || i.Subnet != subnet {
				r.Errorf("the interface of a task in %s is %+v", subnet, i)
			}
		})
		out[subnet]++
	}
	return out
}

func TestInterfacesAreInTheZoneOfTheirNode(t *testing.T) {
	spread := []shape.PlacementStrategy{{Type: aws.Ptr("spread"), Field: aws.Ptr("attribute:ecs.availability-zone")}}
	both := []string{"subnet-a", "subnet-b"}
	for _, c := range []struct {
		name string
		in   shape.RunTaskRequest
		want map[string]int
	}{
		{"spread", shape.RunTaskRequest{TaskDefinition: aws.Ptr("net"), NetworkConfiguration: awsvpc(both...), PlacementStrategy: spread}, map[string]int{"subnet-a": 2, "subnet-b": 2}},
		{"one subnet", shape.RunTaskRequest{TaskDefinition: aws.Ptr("net"), NetworkConfiguration: awsvpc("subnet-b")}, map[string]int{"subnet-b": 4}},
		{"FARGATE", shape.RunTaskRequest{TaskDefinition: aws.Ptr("tiny"), LaunchType: aws.Ptr("FARGATE"), NetworkConfiguration: awsvpc(both...)}, map[string]int{"subnet-a": 2, "subnet-b": 2}},
		{"FARGATE in one subnet", shape.RunTaskRequest{TaskDefinition: aws.Ptr("tiny"), LaunchType: aws.Ptr("FARGATE"), NetworkConfiguration: awsvpc("subnet-b")}, map[string]int{"subnet-b": 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := threeZones(t)
			c.in.Count = aws.Ptr(int32(4))
			out := must(r, shape.OpRunTask, r.api.RunTask, &c.in)
			if len(out.Failures) > 0 {
				t.Fatalf("%+v", out.Failures)
			}
			if diff := cmp.Diff(c.want, r.homes(out.Tasks)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Where no node is in the zones of the subnets, the failures say so of each: the zone that it is in, which no subnet is.
func TestFailuresNameTheZone(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.wired()
	r.tiny("tiny", nil)
	c, b := r.nodeIn("n1", "us-east-1c"), r.nodeIn("n2", "us-east-1b")
	want := map[string]string{
		us.InstanceARN("default", c): "LOCATION: none of the subnets is in us-east-1c", us.InstanceARN("default", b): "LOCATION: none of the subnets is in us-east-1b",
	}
	got := map[string]string{}
	for _, f := range r.runWired("subnet-a").Failures {
		got[*f.Arn] = fmt.Sprintf("%s: %s", *f.Reason, *f.Detail)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	started := must(r, shape.OpStartTask, r.api.StartTask, &shape.StartTaskRequest{TaskDefinition: aws.Ptr("net"), ContainerInstances: []string{c, b}, NetworkConfiguration: awsvpc("subnet-b")})
	if len(started.Tasks) != 1 || len(started.Failures) != 1 || *started.Failures[0].Detail != "none of the subnets is in us-east-1c" {
		t.Errorf("StartTask: %d tasks, %+v", len(started.Tasks), started.Failures)
	}
	r.homes(started.Tasks)
	fargate := must(r, shape.OpRunTask, r.api.RunTask, runTiny())
	if len(fargate.Tasks) != 0 || len(fargate.Failures) != 1 {
		t.Fatalf("FARGATE: %+v", fargate)
	}
	if f := fargate.Failures[0]; *f.Reason != ecs.NoCapacity {
		t.Errorf("FARGATE: %s, %s", *f.Reason, aws.Val(f.Detail))
	}
}

// A node's own attributes come with its first registration; later ones keep what PutAttributes made of them. Its zone may change.
func TestANodeMovesToAnotherZone(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.wired()
	id := r.nodeIn("n1", "us-east-1a")
	if f := r.runWired("subnet-b").Failures; len(f) != 1 || *f[0].Reason != "LOCATION" {
		t.Fatalf("%+v", f)
	}
	in := machine()
	in.ContainerInstanceArn = aws.Ptr(us.InstanceARN("default", id))
	in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(request.NodeAttribute), Value: aws.Ptr("n1")}, shape.Attribute{Name: aws.Ptr("ecs.capability.task-eni")},
		shape.Attribute{Name: aws.Ptr("com.amazonaws.ecs.capability.docker-remote-api.1.18")}, shape.Attribute{Name: aws.Ptr(place.Zone), Value: aws.Ptr("us-east-1b")})
	r.register(in)
	if diff := cmp.Diff(map[string]int{"subnet-b": 1}, r.homes(r.runWired("subnet-b").Tasks)); diff != "" {
		t.Error(diff)
	}
}

// A node in a zone that the region has not is refused by name; agents of others are asked nothing.
func TestANodeIsInAZoneOfTheRegion(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.api.zones = func(region string) []string { return []string{region + "a", region + "b"} }
	register := func(attributes map[string]string) error {
		in := machine()
		for k, v := range attributes {
			in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(k), Value: aws.Ptr(v)})
		}
		_, err := r.api.RegisterContainerInstance(t.Context(), caller("RegisterContainerInstance"), in)
		return err
	}
	if err := register(map[string]string{request.NodeAttribute: "n1", place.Zone: "us-east-1b"}); err != nil {
		t.Error(err)
	}
	if err := register(map[string]string{request.NodeAttribute: "n2", place.Zone: "us-east-1f"}); err == nil || !strings.Contains(err.Error(), "'us-east-1f' is not one of the zones of us-east-1: us-east-1a, us-east-1b") {
		t.Errorf("a node in a zone that is none: %v", err)
	}
	if err := register(map[string]string{place.Zone: "us-east-1f"}); err != nil {
		t.Errorf("another's agent: %v", err)
	}
}
