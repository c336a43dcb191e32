package tables_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var (
	home       = ecs.Home{Account: "000000000000", Region: "us-east-1"}
	definition = &ecs.TaskDefinition{Home: home, Family: "web", Revision: 1, Document: shape.TaskDefinition{
		Status: aws.Ptr("ACTIVE"), NetworkMode: aws.Ptr("bridge"),
		ContainerDefinitions: []shape.ContainerDefinition{{
			Name: aws.Ptr("app"), Cpu: aws.Ptr(int32(100)), Memory: aws.Ptr(int32(100)),
			PortMappings: []shape.PortMapping{{ContainerPort: aws.Ptr(int32(80)), HostPort: aws.Ptr(int32(0))}},
		}},
	}}
)

// region is a store with an ACTIVE cluster, one task definition, and connected instances of 1,000 CPU units and MiB.
func region(t *testing.T, o mem.Options, instances ...string) *mem.Store {
	t.Helper()
	s := mem.Open(tables.Schema(), o)
	t.Cleanup(func() { _ = s.Close() })
	update(t, s, func(tx store.Tx) error {
		tables.Clusters.Put(tx, &ecs.Cluster{Home: home, Name: "c", Status: ecs.ClusterActive})
		tables.TaskDefinitions.Put(tx, definition)
		for _, id := range instances {
			tables.Instances.Put(tx, &ecs.Instance{Home: home, Cluster: "c", ID: id, Node: "n-" + id, LaunchType: "EC2"})
			tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: home, Cluster: "c", ID: id, Status: ecs.InstanceActive, Connected: true})
			tables.Ledgers.Put(tx, &ecs.Ledger{Region: home.Region, Node: "n-" + id, Total: ecs.Amounts{CPU: 1000, MemoryMiB: 1000}})
		}
		return nil
	})
	return s
}

func update(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func spec(count int) launch.Spec {
	return launch.Spec{Home: home, Cluster: "c", Definition: definition, Count: count}
}

func TestLaunchWritesRecordsAndBooksTheLedger(t *testing.T) {
	s := region(t, mem.Options{}, "a")
	wish := spec(2)
	wish.Tags = []shape.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("v")}}
	var tasks []*ecs.Task
	update(t, s, func(tx store.Tx) error {
		var err error
		tasks, _, err = tables.Launch(tx, tables.Wings{}, wish)
		return err
	})
	update(t, s, func(tx store.Tx) error {
		l, _ := tables.Ledgers.Peek(tx, tables.LedgerKey(home.Region, "n-a"))
		if diff := cmp.Diff(ecs.Amounts{CPU: 200, MemoryMiB: 200, Tasks: 2}, l.Used); diff != "" {
			t.Error(diff)
		}
		for _, task := range tasks {
			v, ok := tables.PeekTask(tx, tables.MemberKey(home, "c", task.ID))
			if !ok || v.Desired.Status != "RUNNING" || v.Status.LastStatus != "PENDING" || len(v.Tags) != 1 {
				t.Errorf("task %s: %v, %+v", task.ID, ok, v)
			}
			tables.AbandonTask(tx, tables.Wings{}, tables.MemberKey(home, "c", task.ID), "TaskFailedToStart", "gone")
		}
		l, _ = tables.Ledgers.Peek(tx, tables.LedgerKey(home.Region, "n-a"))
		if diff := cmp.Diff(ecs.Amounts{}, l.Used); diff != "" {
			t.Error("after release:", diff)
		}
		return nil
	})
}

func TestLaunchSaysWhyNot(t *testing.T) {
	big := spec(1)
	big.Overrides.Cpu = aws.Ptr("2048")
	away := spec(1)
	away.Cluster = "other"
	unread := spec(1)
	unread.Constraints = []shape.PlacementConstraint{{Type: aws.Ptr("memberOf"), Expression: aws.Ptr("?")}}
	gone := spec(1)
	gone.Definition = &ecs.TaskDefinition{Home: home, Family: "web", Revision: 9}
	for _, c := range []struct {
		name      string
		instances []string
		spec      launch.Spec
		code      string
		reasons   []string
	}{
		{"no instances", nil, spec(1), shape.CodeInvalidParameterException, nil},
		{"no cluster", []string{"a"}, away, shape.CodeClusterNotFoundException, nil},
		{"no definition", []string{"a"}, gone, shape.CodeClientException, nil},
		{"bad constraint", []string{"a"}, unread, shape.CodeInvalidParameterException, nil},
		{"no room", []string{"a", "b"}, big, "", []string{"RESOURCE:CPU", "RESOURCE:CPU"}},
		{"room for some", []string{"a"}, spec(12), "", []string{"RESOURCE:CPU"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := region(t, mem.Options{}, c.instances...)
			var failures []launch.Failure
			err := s.Update(t.Context(), func(tx store.Tx) error {
				var err error
				_, failures, err = tables.Launch(tx, tables.Wings{}, c.spec)
				return err
			})
			var e *aws.Error
			if errors.As(err, &e) != (c.code != "") || (e != nil && e.Code != c.code) {
				t.Errorf("error %v, want code %q", err, c.code)
			}
			var reasons []string
			for _, f := range failures {
				reasons = append(reasons, f.Reason)
			}
			if diff := cmp.Diff(c.reasons, reasons); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStartTask(t *testing.T) {
	s := region(t, mem.Options{}, "a", "b")
	update(t, s, func(tx store.Tx) error {
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: home, Cluster: "c", ID: "b", Status: ecs.InstanceInactive})
		return nil
	})
	wish := spec(0)
	wish.Instances = []string{"a", "b", "zzz"}
	wish.Constraints = []shape.PlacementConstraint{{Type: aws.Ptr("memberOf"), Expression: aws.Ptr("attribute:x exists")}}
	update(t, s, func(tx store.Tx) error {
		tasks, failures, err := tables.Launch(tx, tables.Wings{}, wish)
		want := []launch.Failure{
			{ARN: home.InstanceARN("c", "b"), Reason: "INACTIVE"},
			{ARN: home.InstanceARN("c", "zzz"), Reason: "MISSING"},
		}
		if diff := cmp.Diff(want, failures); diff != "" {
			t.Error(diff)
		}
		if len(tasks) != 1 || tasks[0].Instance != "a" {
			t.Errorf("tasks %+v", tasks)
		}
		return err
	})
}

func TestLaunchFitsOneTransaction(t *testing.T) {
	var ids []string
	for i := range tables.MaxLaunch {
		ids = append(ids, fmt.Sprintf("i%02d", i))
	}
	s := region(t, mem.Options{}, ids...)
	wish := spec(tables.MaxLaunch)
	wish.Service, wish.Group, wish.Deployment = "svc", "service:svc", "ecs-svc/1"
	wish.Tags = []shape.Tag{{Key: aws.Ptr("k")}}
	update(t, s, func(tx store.Tx) error {
		r, err := tables.TryLaunch(tx, tables.Wings{}, wish)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, task := range r.Tasks {
			seen[task.Instance] = true
		}
		if len(seen) != tables.MaxLaunch {
			t.Errorf("a service spreads; its %d tasks are on %d instances", len(r.Tasks), len(seen))
		}
		return nil
	})
	wish.Count++
	if err := s.Update(t.Context(), func(tx store.Tx) error { _, err := tables.TryLaunch(tx, tables.Wings{}, wish); return err }); err == nil {
		t.Error("more than fits was accepted")
	}
}

// Many schedulers that see the same room at once share it without giving any of it away twice.
func TestSchedulersNeverOvercommit(t *testing.T) {
	s := region(t, mem.Options{}, "a", "b")
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		placed int
	)
	for range 32 {
		wg.Go(func() {
			n := 0
			err := s.Update(context.Background(), func(tx store.Tx) error {
				tasks, _, err := tables.Launch(tx, tables.Wings{}, spec(1))
				n = len(tasks)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			placed += n
		})
	}
	wg.Wait()
	if placed != 20 {
		t.Errorf("%d tasks were placed, 20 fit", placed)
	}
	update(t, s, func(tx store.Tx) error {
		for _, l := range tables.Ledgers.List(tx, store.RegionWide(home.Region).Prefix(), "") {
			if l.Used.CPU != l.Total.CPU {
				t.Errorf("%s: used %d of %d", l.Node, l.Used.CPU, l.Total.CPU)
			}
		}
		return nil
	})
}

// A cluster that begins to go in the middle of a launch stops it.
func TestLaunchComparesTheCluster(t *testing.T) {
	s := region(t, mem.Options{}, "a")
	runs := 0
	err := s.Update(t.Context(), func(tx store.Tx) error {
		runs++
		_, _, err := tables.Launch(tx, tables.Wings{}, spec(1))
		if runs == 1 {
			update(t, s, func(tx store.Tx) error {
				c, _ := tables.Clusters.Get(tx, tables.ClusterKey(home, "c"))
				gone := *c
				gone.Status = ecs.ClusterDeleting
				tables.Clusters.Put(tx, &gone)
				return nil
			})
		}
		return err
	})
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != shape.CodeClusterNotFoundException || runs != 2 {
		t.Errorf("error %v after %d runs", err, runs)
	}
}
