package control_test

import (
	"context"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/balancingtest"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// balancer is a load balancer before every target group.
type balancer struct {
	sees   atomic.Pointer[func(*ecs.Task) string] // what it sees of a task's targets; nil: healthy
	clings atomic.Bool                            // something is in flight for whatever drains
}

// balancers is its loop: it looks at each target a second after that was registered, and lets go of those that drain after another.
func (r *region) balancers() loop.Config {
	return loop.Config{
		Name: "balancers", Store: r.store, Tables: []string{balancingtest.Targets.Name()},
		Dirty: func(_ store.Tx, c store.Change) []string { return []string{c.Key} },
		All: func(tx store.Tx) iter.Seq[string] {
			return func(yield func(string) bool) {
				for key := range balancingtest.Targets.List(tx, "", "") {
					if !yield(key) {
						return
					}
				}
			}
		},
		Reconcile: func(ctx context.Context, key string) (loop.Result, error) {
			var after time.Duration
			err := r.store.Update(ctx, func(tx store.Tx) error {
				after = 0
				if t, ok := balancingtest.Targets.Get(tx, key); ok {
					after = r.look(tx, key, t)
				}
				return nil
			})
			return loop.Result{After: after}, err
		},
	}
}

func (r *region) look(tx store.Tx, key string, t *balancingtest.Target) time.Duration {
	state := target.Healthy
	if v, ok := tables.TaskOf(tx, t.Task, tables.PeekTask); ok && r.sees.Load() != nil {
		state = (*r.sees.Load())(v.Task)
	}
	switch young := t.Since.Add(time.Second).Sub(tx.Now()); {
	case t.Draining() && r.clings.Load(), t.State == state:
	case young > 0:
		return young
	case t.Draining():
		balancingtest.Targets.Delete(tx, key)
	default:
		balancingtest.See(tx, t.Target, state, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [502]")
	}
	return 0
}

// see changes what the load balancer sees; targets that it has seen are looked at again.
func (r *region) see(fn func(*ecs.Task) string) {
	r.sees.Store(&fn)
	r.update(func(tx store.Tx) {
		for _, s := range slices.Collect(balancingtest.Balancing{}.Targets(tx, "")) {
			balancingtest.See(tx, s.Target, target.Initial, "", "")
		}
	})
}

var groupARN = balancingtest.ARN(home, "blue")

// group makes the target group of balanced services.
func (r *region) group() {
	r.update(func(tx store.Tx) { balancingtest.Make(tx, home, "blue", target.ByIP) })
}

// balanced puts a service behind a load balancer, with tasks that have addresses of their own, and a grace period of a minute.
func balanced(s *ecs.Service) {
	awsvpc(s)
	s.Target.LoadBalancers = []shape.LoadBalancer{{TargetGroupArn: aws.Ptr(groupARN), ContainerName: aws.Ptr("app"), ContainerPort: aws.Ptr(int32(80))}}
	s.GracePeriod = aws.Ptr(int32(60))
}

// serving are how many targets are healthy.
func serving(tx store.Tx) (n int) {
	for s := range (balancingtest.Balancing{}).Targets(tx, "") {
		if s.State == target.Healthy {
			n++
		}
	}
	return n
}
