package control

import (
	"context"
	"slices"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
)

// How long a service deployment is kept after it was created, as by ECS, and how many of a service. The newest, and those that go on, always are.
const (
	historyLife = 90 * 24 * time.Hour
	historyKept = 100
)

// history forgets what a service did: its old service deployments, all of them once it is INACTIVE or another has its name, and the
// revisions that nothing speaks of any more.
func (r reaper) history(ctx context.Context, key string) (loop.Result, error) {
	var res loop.Result
	var over past
	err := r.store.View(ctx, store.Any, func(tx store.Tx) error {
		over = lookBack(tx, key)
		return nil
	})
	if err != nil {
		return res, err
	}
	for chunk := range slices.Chunk(over.deployments, deletesAtOnce/3) {
		err := r.store.Update(ctx, func(tx store.Tx) error {
			for _, k := range chunk {
				forgetDeployment(tx, k)
			}
			return nil
		})
		if err != nil {
			return res, err
		}
	}
	for chunk := range slices.Chunk(over.revisions, deletesAtOnce) {
		err := r.store.Update(ctx, func(tx store.Tx) error {
			for _, k := range chunk {
				tables.ServiceRevisions.Delete(tx, k)
			}
			return nil
		})
		if err != nil {
			return res, err
		}
	}
	res.After = over.next
	return res, nil
}

// forgetDeployment deletes a service deployment's records (3 keys).
func forgetDeployment(tx store.Tx, key string) {
	tables.ServiceDeployments.Delete(tx, key)
	if _, ok := tables.ServiceDeploymentStatuses.Peek(tx, key); ok {
		tables.ServiceDeploymentStatuses.Delete(tx, key)
	}
	if _, ok := tables.ServiceDeploymentStops.Peek(tx, key); ok {
		tables.ServiceDeploymentStops.Delete(tx, key)
	}
}

// past is what is over of a service's history, by key.
type past struct {
	deployments []string
	revisions   []string
	next        time.Duration // until more is; zero while nothing is known to become so
}

func lookBack(tx store.Tx, key string) past {
	var out past
	svc, ok := tables.Services.Peek(tx, key)
	if ok && tables.ServiceRecords(tx, svc).ShownStatus() == ecs.ServiceInactive {
		ok = false
	}
	used := map[string]bool{}
	if ok {
		mentioned(used, svc, tables.ServiceRecords(tx, svc).Status)
	}
	n := 0
	for k, d := range tables.ServiceDeployments.List(tx, key+"/", "") {
		v := tables.PeekServiceDeployment(tx, d)
		n++
		left := d.CreatedAt.Add(historyLife).Sub(tx.Now())
		switch {
		case !ok || d.Incarnation != svc.Incarnation, n > 1 && v.Finished() && (n > historyKept || left <= 0):
			out.deployments = append(out.deployments, k)
			continue
		case n > 1 && left > 0:
			out.next = left // the oldest is the last
		}
		mention(used, v)
	}
	for k, rev := range tables.ServiceRevisions.List(tx, key+"/", "") {
		if !used[rev.Deployment.ID] || !ok || rev.Incarnation != svc.Incarnation {
			out.revisions = append(out.revisions, k)
		}
	}
	return out
}

// mentioned are the deployments that a service speaks of.
func mentioned(used map[string]bool, s *ecs.Service, status *ecs.ServiceStatus) {
	used[s.Target.ID] = true
	if status == nil || status.Incarnation != s.Incarnation {
		return
	}
	for _, d := range status.Deployments {
		used[d.ID] = true
	}
	if status.Completed != nil {
		used[status.Completed.ID] = true
	}
	if status.Rollback != nil {
		used[status.Rollback.To.ID] = true
	}
}

// mention: those that a service deployment speaks of.
func mention(used map[string]bool, v ecs.ServiceDeploymentView) {
	used[v.Target] = true
	for _, id := range v.Sources {
		used[id] = true
	}
	if v.Status != nil && v.Status.Rollback != nil {
		used[v.Status.Rollback.Deployment] = true
	}
}
