package machine

import (
	"net/netip"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// A machine is one, however many clusters it is in; those that are gone, or are no EC2 instances, are none.
func TestMachines(t *testing.T) {
	s := mem.Open(tables.Schema(), mem.Options{})
	defer s.Close()
	h := ecs.Home{Account: "000000000000", Region: "us-east-1"}
	early, late := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	attribute := func(name, value string) shape.Attribute { return shape.Attribute{Name: &name, Value: &value} }
	put := func(tx store.Tx, i ecs.Instance, state ecs.InstanceState) {
		i.Home, i.Node, state.Home, state.Cluster, state.ID = h, i.EC2InstanceID, h, i.Cluster, i.ID
		tables.Instances.Put(tx, &i)
		tables.InstanceStates.Put(tx, &state)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		put(tx, ecs.Instance{Cluster: "a", ID: "1", EC2InstanceID: "i-1", RegisteredAt: late, Resources: []shape.Resource{{Name: aws.Ptr(ecs.ResourceCPU), IntegerValue: aws.Ptr(int32(2048))}}},
			ecs.InstanceState{Status: ecs.InstanceActive})
		put(tx, ecs.Instance{Cluster: "b", ID: "2", EC2InstanceID: "i-1", RegisteredAt: early, Attributes: []shape.Attribute{attribute("ecs.availability-zone", "us-east-1b"), attribute(tables.AddressAttribute, "192.0.2.1")}},
			ecs.InstanceState{Status: ecs.InstanceDraining, Connected: true})
		put(tx, ecs.Instance{Cluster: "a", ID: "3", EC2InstanceID: "i-3"}, ecs.InstanceState{Status: ecs.InstanceInactive})
		put(tx, ecs.Instance{Cluster: "a", ID: "4", EC2InstanceID: "mi-4"}, ecs.InstanceState{Status: ecs.InstanceActive})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		got := All(tx, h)
		if len(got) != 1 || got[0] != (ecs.Machine{Home: h, ID: "i-1", Zone: "us-east-1b", Address: "192.0.2.1", CPU: 2048, Connected: true, JoinedAt: early, ContainerInstances: 2}) {
			t.Errorf("%+v", got)
		}
		other := ecs.Home{Account: "111111111111", Region: "us-east-1"}
		for id, want := range map[string]bool{"i-1": true, "i-3": false, "mi-4": false, "i-": false} {
			m, ok := Of(tx, h, id)
			_, theirs := Of(tx, other, id)
			if ok != want || ok && m != got[0] || theirs {
				t.Errorf("%s: %+v, %v, %v", id, m, ok, theirs)
			}
		}
		for at, want := range map[string]bool{"192.0.2.1": true, "::ffff:192.0.2.1": true, "192.0.2.2": false} {
			m, ok := At(tx, h, netip.MustParseAddr(at))
			_, theirs := At(tx, other, netip.MustParseAddr(at))
			if ok != want || ok && m != got[0] || theirs {
				t.Errorf("%s: %+v, %v, %v", at, m, ok, theirs)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if id := ecs.MachineID("us-east-1", "node"); len(id) != 19 || id == ecs.MachineID("us-east-1", "other") || id == ecs.MachineID("us-west-2", "node") {
		t.Error(id)
	}
}
