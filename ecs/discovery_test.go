package ecs

import (
	"maps"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

const testRegistry = "arn:aws:servicediscovery:r:1:service/srv-1"

// found is a task that runs, with a port of its machine.
func found(change func(*TaskView)) TaskView {
	v := TaskView{
		Task: &Task{Home: Home{Account: "1", Region: "r"}, Cluster: "c", ID: "0123", Family: "web", Service: "web", Zone: "ra",
			Containers: []TaskContainer{{Name: "app", Essential: true}, {Name: "side"}}},
		Desired: &TaskDesired{Status: TaskRunning},
		Status: &TaskStatus{LastStatus: TaskRunning, Health: shape.HealthStatusUnknown, Containers: []ContainerStatus{
			{Name: "side", NetworkBindings: []shape.NetworkBinding{{ContainerPort: aws.Ptr(int32(80)), HostPort: aws.Ptr(int32(1))}}},
			{Name: "app", NetworkBindings: []shape.NetworkBinding{{ContainerPort: aws.Ptr(int32(80)), HostPort: aws.Ptr(int32(49153))}}},
		}},
	}
	if change != nil {
		change(&v)
	}
	return v
}

func TestAttributesOfATask(t *testing.T) {
	pair := shape.ServiceRegistry{RegistryArn: aws.Ptr(testRegistry), ContainerName: aws.Ptr("app"), ContainerPort: aws.Ptr(int32(80))}
	port := shape.ServiceRegistry{RegistryArn: aws.Ptr(testRegistry), Port: aws.Ptr(int32(9000))}
	own := func(v *TaskView) {
		v.Interface = &Interface{Private: netip.MustParseAddr("10.0.0.5"), IPv6: []netip.Addr{netip.MustParseAddr("fd00::5")}}
	}
	base := map[string]string{"REGION": "r", "AVAILABILITY_ZONE": "ra", "ECS_CLUSTER_NAME": "c", "ECS_SERVICE_NAME": "web", "ECS_TASK_DEFINITION_FAMILY": "web"}
	host := HostAddress{Mode: "bridge", Address: "192.0.2.1", EC2: "i-1"}
	for _, tt := range []struct {
		name   string
		change func(*TaskView)
		r      shape.ServiceRegistry
		as     Registry
		at     HostAddress
		want   map[string]string
	}{
		{"awsvpc with A", own, shape.ServiceRegistry{}, Registry{Records: []string{"A"}}, HostAddress{EC2: "i-1"},
			map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.5", "EC2_INSTANCE_ID": "i-1"}},
		{"awsvpc with AAAA", own, shape.ServiceRegistry{}, Registry{Records: []string{"A", "AAAA"}, Custom: true}, HostAddress{},
			map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.5", "AWS_INSTANCE_IPV6": "fd00::5", "AWS_INIT_HEALTH_STATUS": "HEALTHY"}},
		{"awsvpc with SRV and a port", own, port, Registry{Records: []string{"SRV"}}, HostAddress{},
			map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.5", "AWS_INSTANCE_PORT": "9000"}},
		{"awsvpc with SRV and a container's port", own, pair, Registry{Records: []string{"SRV"}}, HostAddress{},
			map[string]string{"AWS_INSTANCE_IPV4": "10.0.0.5", "AWS_INSTANCE_PORT": "80"}},
		{"bridge", nil, pair, Registry{Records: []string{"SRV"}, Custom: true}, host,
			map[string]string{"AWS_INSTANCE_IPV4": "192.0.2.1", "AWS_INSTANCE_PORT": "49153", "EC2_INSTANCE_ID": "i-1", "AWS_INIT_HEALTH_STATUS": "HEALTHY"}},
		{"bridge on a machine of IPv6", nil, pair, Registry{Records: []string{"SRV"}}, HostAddress{Mode: "bridge", Address: "2001:db8::1"},
			map[string]string{"AWS_INSTANCE_IPV6": "2001:db8::1", "AWS_INSTANCE_PORT": "49153"}},
		{"host", func(v *TaskView) { v.Status.Containers = nil }, pair, Registry{Records: []string{"SRV"}}, HostAddress{Mode: "host", Address: "192.0.2.1"},
			map[string]string{"AWS_INSTANCE_IPV4": "192.0.2.1", "AWS_INSTANCE_PORT": "80"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := found(tt.change)
			tt.as.ARN = testRegistry
			got, ok, err := v.Registered(tt.r, tt.as, tt.at)
			if !ok || err != nil || got.Standing || got.ID != v.ID || got.Task != v.ARN() || got.Registry != testRegistry {
				t.Fatalf("%+v %v %v", got, ok, err)
			}
			maps.Copy(tt.want, base)
			if d := cmp.Diff(tt.want, got.Attributes); d != "" {
				t.Error(d)
			}
		})
	}
}

// A task is found while it runs and nobody asked it to stop; one with a health check only once it was healthy.
func TestWhenATaskIsFound(t *testing.T) {
	checked := func(health string) func(*TaskView) {
		return func(v *TaskView) { v.Containers[0].HealthCheck, v.Status.Health = true, health }
	}
	for _, tt := range []struct {
		name     string
		change   func(*TaskView)
		ok       bool
		standing bool
		health   string
	}{
		{"running", nil, true, false, ""},
		{"pending", func(v *TaskView) { v.Status.LastStatus = TaskPending }, false, false, ""},
		{"asked to stop", func(v *TaskView) { v.Desired.Status = TaskStopped }, false, false, ""},
		{"stopped", func(v *TaskView) { v.Status.LastStatus = TaskStopped }, false, false, ""},
		{"not judged yet", checked("UNKNOWN"), true, true, ""},
		{"healthy", checked("HEALTHY"), true, false, "HEALTHY"},
		{"unhealthy", checked("UNHEALTHY"), true, true, "UNHEALTHY"},
		{"a check that nobody needs", func(v *TaskView) { v.Containers[1].HealthCheck = true }, true, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := shape.ServiceRegistry{ContainerName: aws.Ptr("app"), ContainerPort: aws.Ptr(int32(80))}
			got, ok, err := found(tt.change).Registered(r, Registry{}, HostAddress{Address: "192.0.2.1"})
			if err != nil || ok != tt.ok || got.Standing != tt.standing || got.Health != tt.health {
				t.Errorf("%+v %v %v", got, ok, err)
			}
		})
	}
}

func TestWhyATaskIsNotFound(t *testing.T) {
	r := shape.ServiceRegistry{ContainerName: aws.Ptr("app"), ContainerPort: aws.Ptr(int32(81))}
	if _, ok, err := found(nil).Registered(r, Registry{}, HostAddress{Address: "192.0.2.1"}); ok || err == nil || err.Error() != "port 81 of container app has no port of its machine" {
		t.Errorf("%v %v", ok, err)
	}
	if _, ok, err := found(nil).Registered(r, Registry{}, HostAddress{}); ok || err == nil || err.Error() != "its container instance does not say its address" {
		t.Errorf("%v %v", ok, err)
	}
}
