package control_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// run1 launches a standalone task that ends at once.
func (r *region) run1() {
	r.update(func(tx store.Tx) {
		d, _ := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(home, "web", 1))
		tasks, _, err := tables.Launch(tx, tables.Wings{}, launch.Spec{Home: home, Cluster: "c", Definition: d, Count: 1})
		if err != nil || len(tasks) != 1 {
			r.t.Errorf("launched %d: %v", len(tasks), err)
			return
		}
		tables.ReportTask(tx, tables.Wings{}, tables.MemberKey(home, "c", tasks[0].ID), report(ecs.TaskStopped))
	})
}

func (r *region) count(prefix string) map[string]int {
	out := map[string]int{}
	r.view(func(tx store.Tx) {
		for range tables.Tasks.List(tx, prefix, "") {
			out["task"]++
		}
		for range tables.TaskDesireds.List(tx, prefix, "") {
			out["desired"]++
		}
		for range tables.TaskStatuses.List(tx, prefix, "") {
			out["status"]++
		}
	})
	return out
}

func TestStoppedTasksAreForgottenInTime(t *testing.T) {
	run(t, control.Options{StoppedRetention: time.Hour}, func(r *region) {
		r.run1()
		r.pass(40 * time.Minute)
		r.run1()
		r.pass(19 * time.Minute)
		r.settle()
		if got := r.count(""); got["task"] != 2 {
			t.Errorf("after 59 minutes: %v", got)
		}
		r.pass(time.Minute)
		r.settle()
		if got := r.count(""); got["task"] != 1 || got["desired"] != 1 || got["status"] != 1 {
			t.Errorf("after an hour: %v", got)
		}
		r.pass(40 * time.Minute)
		r.settle()
		if got := r.count(""); len(got) != 0 {
			t.Errorf("in the end: %v", got)
		}
	}, "a1")
}

func TestTheOldestStoppedTasksAreForgottenFirst(t *testing.T) {
	run(t, control.Options{StoppedPerCluster: 20}, func(r *region) {
		for range 60 {
			r.run1()
			r.pass(time.Second)
		}
		r.settle()
		if n := r.count("")["task"]; n < 20 || n > 22 {
			t.Errorf("%d are kept", n)
		}
		r.view(func(tx store.Tx) {
			for _, s := range tables.TaskStatuses.List(tx, "", "") {
				if age := tx.Now().Sub(s.StoppedAt); age > 30*time.Second {
					t.Errorf("one of %v ago is kept", age)
				}
			}
		})
	}, "a1")
}

func TestAServicesStoppedTasksAreBounded(t *testing.T) {
	run(t, control.Options{StoppedPerService: 10}, func(r *region) {
		r.create(1)
		for range 30 {
			r.settle()
			r.pass(time.Minute)
			r.kill(r.tasks(tables.Live)[0])
		}
		r.settle()
		if n := len(r.tasks(tables.Stopped)); n < 10 || n > 11 {
			t.Errorf("%d are kept", n)
		}
	}, "a1")
}

func TestInactiveServicesAndInstancesAreForgotten(t *testing.T) {
	run(t, control.Options{StoppedRetention: time.Hour}, func(r *region) {
		r.create(1)
		r.settle()
		r.change(func(s *ecs.Service) { s.DeletedAt = time.Now() })
		r.settle()
		r.setInstance("a1", func(s *ecs.InstanceState) { s.Status, s.InactiveAt = ecs.InstanceInactive, time.Now() })
		r.pass(50 * time.Minute)
		if r.status() == nil {
			t.Error("the service is forgotten too early")
		}
		r.pass(11 * time.Minute)
		r.settle()
		r.view(func(tx store.Tx) {
			_, service := tables.Services.Peek(tx, serviceKey())
			_, state := tables.InstanceStates.Peek(tx, tables.MemberKey(home, "c", "a1"))
			_, instance := tables.Instances.Peek(tx, tables.MemberKey(home, "c", "a1"))
			_, ledger := tables.Ledgers.Peek(tx, tables.LedgerKey(home.Region, "n-a1"))
			if service || state || instance || ledger || r.status() != nil || len(r.events()) != 0 || len(r.count("")) != 0 {
				t.Errorf("left: service %v, state %v, instance %v, ledger %v, events %v, tasks %v", service, state, instance, ledger, r.events(), r.count(""))
			}
		})
	}, "a1")
}

func TestTaskDefinitionsGoWithTheirLastUse(t *testing.T) {
	run(t, control.Options{StoppedRetention: time.Hour}, func(r *region) {
		key := tables.RevisionKey(home, "web", 1)
		there := func() bool {
			var ok bool
			r.view(func(tx store.Tx) { _, ok = tables.TaskDefinitions.Peek(tx, key) })
			return ok
		}
		r.create(1)
		r.settle()
		r.update(func(tx store.Tx) {
			d, _ := tables.TaskDefinitions.Get(tx, key)
			next := *d
			next.Document.Status = aws.Ptr("DELETE_IN_PROGRESS")
			tables.TaskDefinitions.Put(tx, &next)
		})
		r.settle()
		r.kill(r.tasks(tables.Live)[0])
		r.want("1 a1 RUNNING") // a service goes on with what it has
		if !there() {
			t.Error("a task definition went while it was used")
		}
		r.deploy(2)
		r.want("2 a1 RUNNING")
		if there() {
			t.Error("the task definition stays")
		}
	}, "a1")
}

func TestATaskDefinitionGoesWithAServiceThatHadNoTasks(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		key := tables.RevisionKey(home, "web", 1)
		r.create(0)
		r.settle()
		r.update(func(tx store.Tx) {
			d, _ := tables.TaskDefinitions.Get(tx, key)
			next := *d
			next.Document.Status = aws.Ptr("DELETE_IN_PROGRESS")
			tables.TaskDefinitions.Put(tx, &next)
		})
		r.settle()
		r.change(func(s *ecs.Service) { s.DeletedAt = time.Now() })
		r.settle()
		r.view(func(tx store.Tx) {
			if _, ok := tables.TaskDefinitions.Peek(tx, key); ok {
				t.Error("the task definition stays")
			}
		})
	})
}

func TestTokensAreForgottenAfterADay(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.update(func(tx store.Tx) {
			tables.Tokens.Put(tx, &ecs.Token{Home: home, Operation: "RunTask", Token: "x", At: tx.Now()})
		})
		left := func() (n int) {
			r.view(func(tx store.Tx) {
				for range tables.Tokens.List(tx, "", "") {
					n++
				}
			})
			return n
		}
		r.pass(24*time.Hour - time.Second)
		if left() != 1 {
			t.Error("forgotten too early")
		}
		r.pass(2 * time.Second)
		r.settle()
		if left() != 0 {
			t.Error("still there")
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := control.New(control.Config{Options: control.Options{HealthyAfter: -1}})
	if err == nil || !strings.Contains(fmt.Sprint(err), "negative") {
		t.Errorf("error %v", err)
	}
}

// A call that deletes a cluster may die between its two steps.
func TestADeletionThatLostItsCallIsSettled(t *testing.T) {
	key := tables.ClusterKey(home, "lost")
	mark := func(tx store.Tx) {
		k := &ecs.Cluster{Home: home, Name: "lost", Status: ecs.ClusterActive, CreatedAt: tx.Now()}
		tables.MarkDeleting(tx, k)
	}
	status := func(r *region) (out string) {
		r.view(func(tx store.Tx) {
			if k, ok := tables.Clusters.Peek(tx, key); ok {
				out = k.Status
			}
		})
		return out
	}
	run(t, control.Options{}, func(r *region) {
		r.update(mark)
		r.pass(5 * time.Second)
		if got := status(r); got != ecs.ClusterDeleting {
			t.Errorf("settled while its call may still be alive: %s", got)
		}
		r.pass(10 * time.Second)
		if got := status(r); got != ecs.ClusterInactive {
			t.Errorf("an empty cluster is %s", got)
		}
		r.pass(25 * time.Hour)
		if got := status(r); got != "" {
			t.Errorf("an INACTIVE cluster is kept for ever: %s", got)
		}
	})
	run(t, control.Options{}, func(r *region) {
		r.update(mark)
		r.update(func(tx store.Tx) {
			tables.Instances.Put(tx, &ecs.Instance{Home: home, Cluster: "lost", ID: "i", Node: "n"})
			tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: home, Cluster: "lost", ID: "i", Status: ecs.InstanceActive})
		})
		r.pass(20 * time.Second)
		if got := status(r); got != ecs.ClusterActive {
			t.Errorf("a cluster with an instance is %s", got)
		}
	})
}
