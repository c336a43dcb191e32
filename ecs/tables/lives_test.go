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
				i.Attributes = []shape.Attribute{{Name: aws.Ptr(AddressAttribute), Value: aws.Ptr(address)}}
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
