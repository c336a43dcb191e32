package launch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func port(container, host int32, protocol string) shape.PortMapping {
	return shape.PortMapping{ContainerPort: aws.Ptr(container), HostPort: aws.Ptr(host), Protocol: aws.Ptr(protocol)}
}

func TestNeeds(t *testing.T) {
	web := shape.ContainerDefinition{
		Name: aws.Ptr("web"), Cpu: aws.Ptr(int32(100)), Memory: aws.Ptr(int32(512)), MemoryReservation: aws.Ptr(int32(128)),
		PortMappings: []shape.PortMapping{port(80, 8080, "tcp"), port(53, 5353, "udp"), port(81, 0, "tcp"), {ContainerPortRange: aws.Ptr("9000-9010")}},
	}
	side := shape.ContainerDefinition{Name: aws.Ptr("side"), Cpu: aws.Ptr(int32(50)), Memory: aws.Ptr(int32(64)), PortMappings: []shape.PortMapping{port(90, 8080, "tcp")}}
	for _, c := range []struct {
		name string
		def  shape.TaskDefinition
		o    shape.TaskOverride
		want ecs.Amounts
	}{
		{
			"a reservation counts before the limit", shape.TaskDefinition{},
			shape.TaskOverride{}, ecs.Amounts{CPU: 150, MemoryMiB: 192, TCP: []int{8080}, UDP: []int{5353}, Tasks: 1},
		},
		{
			"the task's own counts before the containers'", shape.TaskDefinition{Cpu: aws.Ptr("256"), Memory: aws.Ptr("1 GB")},
			shape.TaskOverride{}, ecs.Amounts{CPU: 256, MemoryMiB: 1024, TCP: []int{8080}, UDP: []int{5353}, Tasks: 1},
		},
		{
			"overrides count before both", shape.TaskDefinition{Cpu: aws.Ptr("256")},
			shape.TaskOverride{Cpu: aws.Ptr(".5 vCPU"), ContainerOverrides: []shape.ContainerOverride{{Name: aws.Ptr("web"), MemoryReservation: aws.Ptr(int32(300))}}},
			ecs.Amounts{CPU: 512, MemoryMiB: 364, TCP: []int{8080}, UDP: []int{5353}, Tasks: 1},
		},
		{
			"in host mode a container's port is the node's", shape.TaskDefinition{NetworkMode: aws.Ptr("host")},
			shape.TaskOverride{}, ecs.Amounts{CPU: 150, MemoryMiB: 192, TCP: []int{81, 8080}, UDP: []int{5353}, Tasks: 1},
		},
		{
			"other modes have no host ports", shape.TaskDefinition{NetworkMode: aws.Ptr("awsvpc")},
			shape.TaskOverride{}, ecs.Amounts{CPU: 150, MemoryMiB: 192, Tasks: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.def.ContainerDefinitions = []shape.ContainerDefinition{web, side}
			got, err := launch.Needs(&c.def, &c.o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNeedsNamesWhatItCannotRead(t *testing.T) {
	for _, s := range []string{"much", "-1", "0.3"} {
		_, err := launch.Needs(&shape.TaskDefinition{}, &shape.TaskOverride{Cpu: aws.Ptr(s)})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("cpu %q", s)) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func spec() launch.Spec {
	home := ecs.Home{Account: "000000000000", Region: "us-east-1"}
	return launch.Spec{
		Home: home, Cluster: "c", Count: 1,
		Definition: &ecs.TaskDefinition{Home: home, Family: "web", Revision: 7, Document: shape.TaskDefinition{
			NetworkMode:          aws.Ptr("bridge"),
			RuntimePlatform:      &shape.RuntimePlatform{CpuArchitecture: aws.Ptr("ARM64")},
			PlacementConstraints: []shape.TaskDefinitionPlacementConstraint{{Type: aws.Ptr("memberOf"), Expression: aws.Ptr("attribute:a exists")}},
			ContainerDefinitions: []shape.ContainerDefinition{
				{Name: aws.Ptr("app"), Image: aws.Ptr("img"), Cpu: aws.Ptr(int32(10)), Memory: aws.Ptr(int32(300)), HealthCheck: &shape.HealthCheck{}},
				{Name: aws.Ptr("side"), Image: aws.Ptr("img2"), MemoryReservation: aws.Ptr(int32(20)), Essential: aws.Ptr(false)},
			},
		}},
	}
}

func TestRequest(t *testing.T) {
	s := spec()
	s.Constraints = []shape.PlacementConstraint{{Type: aws.Ptr("distinctInstance")}, {Type: aws.Ptr("memberOf"), Expression: aws.Ptr("attribute:b == c")}}
	r, err := launch.Request(s, 5)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Distinct || len(r.MemberOf) != 2 || r.Architecture != "ARM64" || r.Seed != 5 || r.Needs.CPU != 10 || len(r.Strategy) != 0 {
		t.Errorf("got %+v", r)
	}
	s.Service = "svc"
	if r, _ = launch.Request(s, 5); len(r.Strategy) != 2 {
		t.Errorf("a service without strategies spreads; got %+v", r.Strategy)
	}
	s.Constraints[1].Expression = aws.Ptr("b == c")
	if _, err = launch.Request(s, 5); err == nil || !strings.Contains(err.Error(), "placementConstraints, item 2") {
		t.Errorf("error %v", err)
	}
}

func TestMake(t *testing.T) {
	s := spec()
	s.Tags = []shape.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("v")}}
	s.Overrides = shape.TaskOverride{ContainerOverrides: []shape.ContainerOverride{{Name: aws.Ptr("side"), Command: []string{"x"}}}}
	n := 0
	newID := func() string { n++; return fmt.Sprintf("%032x", n) }
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	holds := ecs.Amounts{CPU: 10, MemoryMiB: 320, Tasks: 1}
	r := launch.Make(s, launch.Placed{
		Instance: &ecs.Instance{ID: "i", Node: "n", LaunchType: "EXTERNAL", Attributes: []shape.Attribute{
			{Name: aws.Ptr(place.Zone), Value: aws.Ptr("us-east-1a")}, {Name: aws.Ptr(place.Architecture), Value: aws.Ptr("arm64")},
		}},
		Holds: holds,
	}, now, newID)
	id := fmt.Sprintf("%032x", 1)
	want := launch.Records{
		Task: &ecs.Task{
			Home: s.Home, Cluster: "c", ID: id, Family: "web", Revision: 7, Group: "family:web", LaunchType: "EXTERNAL",
			Instance: "i", Node: "n", Zone: "us-east-1a", CPU: "10", Memory: "320", Holds: holds, CreatedAt: now,
			Attributes: []shape.Attribute{{Name: aws.Ptr(place.Architecture), Value: aws.Ptr("arm64")}},
			Overrides: shape.TaskOverride{
				ContainerOverrides:            []shape.ContainerOverride{{Name: aws.Ptr("app")}, {Name: aws.Ptr("side"), Command: []string{"x"}}},
				InferenceAcceleratorOverrides: []shape.InferenceAcceleratorOverride{},
			},
			Containers: []ecs.TaskContainer{
				{Name: "app", ID: "00000000-0000-0000-0000-000000000002", Image: "img", CPU: "10", Memory: "300", Essential: true, HealthCheck: true},
				{Name: "side", ID: "00000000-0000-0000-0000-000000000003", Image: "img2", CPU: "0", MemoryReservation: "20"},
			},
		},
		Desired: &ecs.TaskDesired{Home: s.Home, Cluster: "c", ID: id, Group: "family:web", Instance: "i", Status: "RUNNING"},
		Status: &ecs.TaskStatus{
			Home: s.Home, Cluster: "c", ID: id, Instance: "i", LastStatus: "PENDING", Health: "UNKNOWN", Version: 1,
			Containers: []ecs.ContainerStatus{{Name: "app", LastStatus: "PENDING", Health: "UNKNOWN"}, {Name: "side", LastStatus: "PENDING", Health: "UNKNOWN"}},
		},
		Tags: &ecs.TaskTags{Home: s.Home, Cluster: "c", ID: id, Tags: s.Tags},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
}
