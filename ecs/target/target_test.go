package target_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/target"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// A task with an address of its own is a target there; another at its machine's, by the port that its container's has there.
func TestAim(t *testing.T) {
	home := ecs.Home{Account: "000000000000", Region: "us-east-1"}
	group := target.Group{ARN: "arn:g"}
	lb := shape.LoadBalancer{ContainerName: aws.Ptr("app"), ContainerPort: aws.Ptr(int32(80))}
	own := &ecs.Interface{Private: netip.MustParseAddr("10.0.0.5")}
	bound := func(container string, host int32) []ecs.ContainerStatus {
		return []ecs.ContainerStatus{{Name: "side"}, {Name: container, NetworkBindings: []shape.NetworkBinding{
			{ContainerPort: aws.Ptr(int32(443)), HostPort: aws.Ptr(int32(1))}, {ContainerPort: aws.Ptr(int32(80)), HostPort: &host}}}}
	}
	for _, c := range []struct {
		name   string
		own    *ecs.Interface
		at     ecs.HostAddress
		is     []ecs.ContainerStatus
		id     string
		port   int32
		refuse string
	}{
		{name: "own address", own: own, id: "10.0.0.5", port: 80},
		{name: "own address, whatever its machine is", own: own, at: ecs.HostAddress{EC2: "i-1"}, id: "10.0.0.5", port: 80},
		{name: "dynamic port", at: ecs.HostAddress{Mode: "bridge", EC2: "i-1"}, is: bound("app", 32768), id: "i-1", port: 32768},
		{name: "host mode", at: ecs.HostAddress{Mode: "host", EC2: "i-1"}, id: "i-1", port: 80},
		{name: "port not known yet", at: ecs.HostAddress{Mode: "bridge", EC2: "i-1"}, refuse: "port 80 of container app has no port of its machine"},
		{name: "another container's", at: ecs.HostAddress{Mode: "bridge", EC2: "i-1"}, is: bound("side", 32768), refuse: "port 80 of container app"},
		{name: "no EC2 instance", at: ecs.HostAddress{Mode: "bridge", Address: "192.0.2.1"}, is: bound("app", 32768), refuse: "is no EC2 instance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := ecs.TaskView{Task: &ecs.Task{Home: home, Cluster: "c", ID: "t", Interface: c.own}, Status: &ecs.TaskStatus{Containers: c.is}}
			got, err := target.Aim(v, lb, group, c.at)
			if c.refuse != "" {
				if err == nil || !strings.Contains(err.Error(), c.refuse) {
					t.Errorf("%+v, %v; want %q", got, err, c.refuse)
				}
				return
			}
			if want := (target.Target{Home: home, Group: "arn:g", ID: c.id, Port: c.port, Task: home.TaskARN("c", "t")}); err != nil || got != want {
				t.Errorf("%+v, %v; want %+v", got, err, want)
			}
		})
	}
}
