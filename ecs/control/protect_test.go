package control_test

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// protect protects a task of the service for a time.
func (r *region) protect(v ecs.TaskView, d time.Duration) {
	r.update(func(tx store.Tx) {
		tables.TaskProtections.Put(tx, &ecs.TaskProtection{Home: home, Cluster: "c", ID: v.ID, Service: "web", ExpiresAt: tx.Now().Add(d)})
	})
}

func TestAProtectedTaskOutlivesADeploymentUntilItsProtectionExpires(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(2)
		r.want("1 a1 RUNNING, 1 a1 RUNNING")
		kept := r.tasks(tables.Live)[0]
		r.protect(kept, time.Hour)
		r.deploy(2)
		r.want("1 a1 RUNNING, 2 a1 RUNNING, 2 a1 RUNNING")
		r.pass(59 * time.Minute)
		r.want("1 a1 RUNNING, 2 a1 RUNNING, 2 a1 RUNNING")
		r.pass(2 * time.Minute)
		r.want("2 a1 RUNNING, 2 a1 RUNNING")
		if d := r.status().Deployments; len(d) != 1 || d[0].RolloutState != "COMPLETED" {
			t.Errorf("deployments %+v", d)
		}
	}, "a1")
}

func TestTakingAProtectionBackLetsScaleInGoOn(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(2)
		r.settle()
		kept := r.tasks(tables.Live)
		r.protect(kept[0], 48*time.Hour)
		r.protect(kept[1], 48*time.Hour)
		r.change(func(s *ecs.Service) { s.DesiredCount = 1 })
		r.want("1 a1 RUNNING, 1 a1 RUNNING")
		r.update(func(tx store.Tx) { tables.TaskProtections.Delete(tx, tables.MemberKey(home, "c", kept[1].ID)) })
		r.want("1 a1 RUNNING")
		if got := r.tasks(tables.Live)[0].ID; got != kept[0].ID {
			t.Errorf("the protected task %s was stopped, %s stays", kept[0].ID, got)
		}
	}, "a1")
}
