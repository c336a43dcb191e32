package region

import (
	"context"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/control"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
)

// The interface of a task that stopped without releasing it goes; that of one that runs, or of nobody of this wing, stays.
func TestInterfacesOfStoppedTasksGo(t *testing.T) {
	w := wired(t)
	loops, err := control.New(control.Config{Owners: network{}})
	if err != nil {
		t.Fatal(err)
	}
	status := func(id, last string) *ecs.TaskStatus {
		return &ecs.TaskStatus{Home: w.Home, Cluster: "c", ID: id, LastStatus: last}
	}
	update := func(fn func(tx store.Tx) error) {
		t.Helper()
		if err := w.Store.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx store.Tx) error {
		for _, owner := range []string{w.Home.TaskARN("c", "runs"), w.Home.TaskARN("c", "stops"), w.Home.TaskARN("c", "gone"), "an elb"} {
			if _, err := vpctables.Attach(tx, vpctables.Spec{Home: vpcHome(w.Home), Subnet: w.Subnet, Owner: owner}); err != nil {
				return err
			}
		}
		tables.TaskStatuses.Put(tx, status("runs", ecs.TaskRunning))
		tables.TaskStatuses.Put(tx, status("stops", ecs.TaskRunning))
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Store.Lead(ctx, loops.Run) }()
	left := func(want int) {
		t.Helper()
		sub := w.Store.Watch(ctx, vpctables.Interfaces.Name())
		defer sub.Close()
		limit, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		for {
			b, err := sub.Next(limit)
			if err != nil {
				t.Fatalf("never %d interfaces: %v", want, err)
			}
			if vpctables.InterfacesBySubnet.Count(b.Snapshot, w.Subnet) == want {
				return
			}
		}
	}
	left(3) // a task that was never there
	update(func(tx store.Tx) error { tables.TaskStatuses.Put(tx, status("stops", ecs.TaskStopped)); return nil })
	left(2)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	owned := map[string]bool{}
	update(func(tx store.Tx) error {
		for _, i := range vpctables.InterfacesBySubnet.List(tx, w.Subnet, "") {
			owned[i.Owner] = network{}.Owned(tx, i)
		}
		return nil
	})
	if len(owned) != 2 || !owned[w.Home.TaskARN("c", "runs")] || !owned["an elb"] {
		t.Error(owned)
	}
}

// A node is an EC2 instance of its account.
func TestNodesAreInstances(t *testing.T) {
	w := wired(t)
	err := w.Store.Update(t.Context(), func(tx store.Tx) error {
		tables.Instances.Put(tx, &ecs.Instance{Home: w.Home, Cluster: "c", ID: "1", Node: "n", EC2InstanceID: ecs.MachineID("us-east-1", "n")})
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: w.Home, Cluster: "c", ID: "1", Status: ecs.InstanceActive, Connected: true})
		nodes := network{}.Nodes(tx, vpcHome(w.Home))
		if len(nodes) != 1 || nodes[0].Instance != ecs.MachineID("us-east-1", "n") || !nodes[0].Connected || vpc.KindInstance.Check(nodes[0].Instance) != nil {
			t.Errorf("%+v", nodes)
		}
		if others := (network{}).Nodes(tx, vpc.Home{Account: "111111111111", Region: "us-east-1"}); len(others) != 0 {
			t.Errorf("%+v", others)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
