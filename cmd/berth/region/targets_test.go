package region

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/control/targets"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
)

// The target of a task that stopped without being deregistered goes; that of one that runs, or of a client, stays.
func TestTargetsOfStoppedTasksGo(t *testing.T) {
	w := wired(t)
	h := elb.Home{Account: w.Home.Account, Region: w.Home.Region}
	loops, err := targets.New(targets.Config{Owners: registrants{}})
	if err != nil {
		t.Fatal(err)
	}
	update := func(fn func(tx store.Tx) error) {
		t.Helper()
		if err := w.Store.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	owners := map[string]string{"10.0.0.1": w.Home.TaskARN("c", "runs"), "10.0.0.2": w.Home.TaskARN("c", "stops"), "10.0.0.3": w.Home.TaskARN("c", "gone"), "10.0.0.4": ""}
	update(func(tx store.Tx) error {
		elbtables.TargetGroups.Put(tx, &elb.TargetGroup{Home: h, ID: "00000000000000aa", Name: "web", Type: "ip", Protocol: "HTTP", Port: 80})
		for id, owner := range owners {
			if _, err := elbtables.Register(tx, elbtables.Registration{Home: h, Group: "00000000000000aa", TargetKey: elb.TargetKey{ID: id, Port: 80}, Owner: owner}); err != nil {
				return err
			}
		}
		for _, id := range []string{"runs", "stops"} {
			tables.TaskStatuses.Put(tx, &ecs.TaskStatus{Home: w.Home, Cluster: "c", ID: id, LastStatus: ecs.TaskRunning})
		}
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Store.Lead(ctx, loops.Run) }()
	left := func(want int) {
		t.Helper()
		sub := w.Store.Watch(ctx, elbtables.Targets.Name())
		defer sub.Close()
		limit, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		for {
			b, err := sub.Next(limit)
			if err != nil {
				t.Fatalf("never %d targets: %v", want, err)
			}
			if elbtables.TargetsByGroup.Count(b.Snapshot, elbtables.Key(h, "00000000000000aa")) == want {
				return
			}
		}
	}
	left(3) // a task that was never there
	update(func(tx store.Tx) error {
		tables.TaskStatuses.Put(tx, &ecs.TaskStatus{Home: w.Home, Cluster: "c", ID: "stops", LastStatus: ecs.TaskStopped})
		return nil
	})
	left(2)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	update(func(tx store.Tx) error {
		if !elbtables.Withdrawn(tx, owners["10.0.0.2"]) || elbtables.Withdrawn(tx, owners["10.0.0.1"]) || !(registrants{}).Alive(tx, "an elb") {
			t.Error("the wrong ones are left")
		}
		if id, ok := (registrants{}).Instance(tx, h, netip.MustParseAddr("203.0.113.9")); ok {
			t.Errorf("%s is at an address that nobody has", id)
		}
		return nil
	})
}

// An address is in the zone of its subnet, and a machine in its own.
func TestWhereTargetsAre(t *testing.T) {
	w := wired(t)
	h := elb.Home{Account: w.Home.Account, Region: w.Home.Region}
	err := w.Store.Update(t.Context(), func(tx store.Tx) error {
		tables.Instances.Put(tx, &ecs.Instance{Home: w.Home, Cluster: "c", ID: "1", Node: "n", EC2InstanceID: ecs.MachineID("us-east-1", "n")})
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: w.Home, Cluster: "c", ID: "1", Status: ecs.InstanceActive, Connected: true})
		s, _ := vpctables.Subnets.Get(tx, vpctables.Key(vpcHome(w.Home), w.Subnet))
		if zone, ok := (registrants{}).Zone(tx, h, s.VPC, s.CIDR.Addr().Next()); !ok || zone != s.Zone {
			t.Errorf("%q %v, want %s", zone, ok, s.Zone)
		}
		if zone, ok := (registrants{}).Zone(tx, h, s.VPC, netip.MustParseAddr("203.0.113.9")); ok {
			t.Errorf("beyond the VPC, and in %s", zone)
		}
		if zone, ok := (registrants{}).Zone(tx, elb.Home{Account: "111111111111", Region: h.Region}, s.VPC, s.CIDR.Addr()); ok {
			t.Errorf("another account's VPC, and in %s", zone)
		}
		for id, want := range map[string]bool{ecs.MachineID("us-east-1", "n"): true, "i-0123": false} {
			if _, ok := (registrants{}).Machine(tx, h, id); ok != want {
				t.Errorf("%s: %v", id, ok)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
