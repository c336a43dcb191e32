package hub

import (
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// watched are the tables whose changes may be an agent's business.
func (h *Hub) watched() []string {
	out := []string{tables.TaskDesireds.Name(), tables.InstanceStates.Name()}
	if h.Wings.Balancing != nil {
		out = append(out, h.Wings.Watched()...)
	}
	return out
}

// release wakes the sessions of agents whose tasks may have been withdrawn from load balancers by a change. Only those that are to stop wait for it.
func (h *Hub) release(tx store.Tx, c store.Change) {
	if h.Wings.Balancing == nil {
		return
	}
	tasks, _ := h.Wings.Concerns(tx, c)
	for _, arn := range tasks {
		v, ok := tables.TaskOf(tx, arn, tables.PeekTask)
		if !ok || v.Desired.Status != ecs.TaskStopped {
			continue
		}
		if s := h.sessions[tables.HostKey(v.Home, v.RunsOn())]; s != nil {
			s.wake(tables.MemberKey(v.Home, v.Cluster, v.ID))
		}
	}
}

// held says whether the agent must not be told yet to stop a task: load balancers have something in flight for it. The session looks again when
// that may have changed, or the wait is over.
func (s *control) held(tx store.Tx, v ecs.TaskView) bool {
	leaving, until := tables.Leaving(tx, s.hub.Wings.Balancing, v)
	key := tables.MemberKey(v.Home, v.Cluster, v.ID)
	s.waitNot(key)
	if leaving && !until.IsZero() {
		s.waits[key] = time.AfterFunc(max(0, until.Sub(tx.Now()))+time.Millisecond, func() { s.wake(key) })
	}
	return leaving
}

// waitNot ends the wait for a task, if there is one.
func (s *control) waitNot(key string) {
	if t := s.waits[key]; t != nil {
		t.Stop()
		delete(s.waits, key)
	}
}

// waitNoMore lets go of the session's waits, which may be an hour long, when it ends.
func (s *control) waitNoMore() {
	for _, t := range s.waits {
		t.Stop()
	}
}

// leaving says whether a task (by MemberKey) runs only because load balancers have something in flight for it.
func (s *control) leaving(tx store.Tx, key string) bool {
	v, ok := tables.PeekTask(tx, key)
	if !ok {
		return false
	}
	leaving, _ := tables.Leaving(tx, s.hub.Wings.Balancing, v)
	return leaving
}
