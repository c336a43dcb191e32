package tables

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// A machine is one, however many clusters it is in; those that are gone, or are no EC2 instances, are none.
func TestMachines(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	h := ecs.Home{Account: "000000000000", Region: "us-east-1"}
	early, late := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	attribute := func(name, value string) shape.Attribute { return shape.Attribute{Name: &name, Value: &value} }
	put := func(tx store.Tx, i ecs.Instance, state ecs.InstanceState) {
		i.Home, i.Node, state.Home, state.Cluster, state.ID = h, i.EC2InstanceID, h, i.Cluster, i.ID
		Instances.Put(tx, &i)
		InstanceStates.Put(tx, &state)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		put(tx, ecs.Instance{Cluster: "a", ID: "1", EC2InstanceID: "i-1", RegisteredAt: late, Resources: []shape.Resource{{Name: aws.Ptr(ecs.ResourceCPU), IntegerValue: aws.Ptr(int32(2048))}}},
			ecs.InstanceState{Status: ecs.InstanceActive})
		put(tx, ecs.Instance{Cluster: "b", ID: "2", EC2InstanceID: "i-1", RegisteredAt: early, Attributes: []shape.Attribute{attribute("ecs.availability-zone", "us-east-1b"), attribute(addressAttribute, "192.0.2.1")}},
			ecs.InstanceState{Status: ecs.InstanceDraining, Connected: true})
		put(tx, ecs.Instance{Cluster: "a", ID: "3", EC2InstanceID: "i-3"}, ecs.InstanceState{Status: ecs.InstanceInactive})
		put(tx, ecs.Instance{Cluster: "a", ID: "4", EC2InstanceID: "mi-4"}, ecs.InstanceState{Status: ecs.InstanceActive})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		got := Machines(tx, h)
		if len(got) != 1 || got[0] != (ecs.Machine{Home: h, ID: "i-1", Zone: "us-east-1b", Address: "192.0.2.1", CPU: 2048, Connected: true, JoinedAt: early, ContainerInstances: 2}) {
			t.Errorf("%+v", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if id := ecs.MachineID("us-east-1", "node"); len(id) != 19 || id == ecs.MachineID("us-east-1", "other") || id == ecs.MachineID("us-west-2", "node") {
		t.Error(id)
	}
}

func TestLives(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	h := ecs.Home{Account: "000000000000", Region: "us-east-1"}
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		TaskStatuses.Put(tx, &ecs.TaskStatus{Home: h, Cluster: "c", ID: "runs", LastStatus: ecs.TaskRunning})
		TaskStatuses.Put(tx, &ecs.TaskStatus{Home: h, Cluster: "c", ID: "over", LastStatus: ecs.TaskStopped})
		for arn, want := range map[string]bool{
			h.TaskARN("c", "runs"): true, h.TaskARN("c", "over"): false, h.TaskARN("c", "never"): false, h.ClusterARN("c"): false, "nat-1": false, "": false, h.TaskARN("", ""): false,
		} {
			if got := Lives(tx, arn); got != want {
				t.Errorf("%q: %v", arn, got)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Where a node is: what its last container instance that is not over says.
func TestNodeAddress(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	h := ecs.Home{Account: "000000000000", Region: "us-east-1"}
	put := func(home ecs.Home, id, address, status string, day int) {
		t.Helper()
		err := s.Update(t.Context(), func(tx store.Tx) error {
			i := &ecs.Instance{Home: home, Cluster: "c", ID: id, Node: "n1", RegisteredAt: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)}
			if address != "" {
				i.Attributes = []shape.Attribute{{Name: aws.Ptr(addressAttribute), Value: aws.Ptr(address)}}
			}
			Instances.Put(tx, i)
			InstanceStates.Put(tx, &ecs.InstanceState{Home: home, Cluster: "c", ID: id, Status: status})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(address string) {
		t.Helper()
		err := s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
			if got := NodeAddress(tx, h, "n1"); got != address {
				t.Errorf("got %q, want %q", got, address)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want("")
	put(h, "a", "192.0.2.1", ecs.InstanceInactive, 1)
	want("192.0.2.1")
	put(h, "b", "192.0.2.2", ecs.InstanceActive, 2)
	put(h, "c", "192.0.2.3", ecs.InstanceInactive, 3)
	put(ecs.Home{Account: "111111111111", Region: h.Region}, "d", "192.0.2.4", ecs.InstanceActive, 4)
	want("192.0.2.2")
	put(h, "b", "", ecs.InstanceDraining, 2)
	want("")
}
