package control

import (
	"reflect"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/rollout"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// step is a plan being written in one transaction.
type step struct {
	tx     store.Tx
	svc    *ecs.Service
	status *ecs.ServiceStatus
	acted  bool
	say    []string
}

// apply writes the plan, or the part of it that fits, and says whether it wrote anything. The status is written with every action, which is
// what makes two leaders collide.
func apply(tx store.Tx, in rollout.Input, plan rollout.Steps) (wrote bool, err error) {
	s := &step{tx: tx, svc: in.Service, status: plan.Status, say: plan.Say}
	for _, stop := range plan.Stops {
		// Whoever protects it at the same time comes before or after.
		tables.TaskProtections.Get(tx, tables.MemberKey(s.svc.Home, s.svc.Cluster, stop.Task))
		tables.StopTask(tx, tables.MemberKey(s.svc.Home, s.svc.Cluster, stop.Task), stop.Code, stop.Reason)
		s.acted = true
	}
	room := startsBeside(plan)
	for _, start := range plan.Starts {
		start.Count = min(start.Count, room)
		room -= start.Count
		if start.Count == 0 {
			break
		}
		if err := s.start(start); err != nil {
			return false, err
		}
	}
	for _, d := range plan.History {
		tables.ServiceDeploymentStatuses.Put(tx, d)
		s.acted = true
	}
	if !s.acted && len(s.say) == 0 && in.Status != nil && reflect.DeepEqual(in.Status, s.status) {
		return false, nil
	}
	tables.ServiceStatuses.Put(tx, s.status)
	s.events()
	return true, nil
}

// startsBeside is how many tasks may be launched in the transaction that does the rest of the plan: a launch writes five records a task, a
// stop two, a sentence one and drops one, and each start may say two; a service deployment that comes further is one.
func startsBeside(plan rollout.Steps) int {
	const status = 1
	left := store.MaxWrites - status - len(plan.History) - 2*len(plan.Stops) - 2*(len(plan.Say)+2*len(plan.Starts))
	return max(0, min(tables.MaxLaunch, left/5))
}

// start launches tasks and notes why not all of them.
func (s *step) start(start rollout.Start) error {
	spec, err := specOf(s.tx, s.svc, start)
	if err == nil {
		return s.launch(spec)
	}
	return s.refused(err)
}

func (s *step) refused(err error) error {
	e, ok := refusedAs(err)
	if !ok {
		return err
	}
	s.tell(rollout.Failed(s.status, e.Code, e.Message, s.tx.Now()))
	return nil
}

func (s *step) tell(sentence string) {
	if sentence != "" {
		s.say = append(s.say, sentence)
	}
}

// events writes the sentences in their order, after those that are there, and drops the oldest.
func (s *step) events() {
	if len(s.say) == 0 {
		return
	}
	var keys []string
	at := s.tx.Now()
	for key, e := range tables.ServiceEvents.List(s.tx, eventPrefix(s.svc.Home, s.svc.Cluster, s.svc.Name), "") {
		keys = append(keys, key)
		if !at.After(e.At) {
			at = e.At.Add(time.Microsecond) // sentences of one moment keep their order
		}
	}
	for _, text := range s.say {
		tables.ServiceEvents.Put(s.tx, &ecs.ServiceEvent{
			Home: s.svc.Home, Cluster: s.svc.Cluster, Service: s.svc.Name, Incarnation: s.svc.Incarnation,
			ID: eventID(s.tx.NewID()), At: at, Message: text,
		})
		at = at.Add(time.Microsecond)
	}
	for _, key := range keys[:max(0, len(keys)+len(s.say)-eventsKept)] {
		tables.ServiceEvents.Delete(s.tx, key)
	}
}

func eventPrefix(h ecs.Home, cluster, service string) string {
	return tables.At(h).Prefix(cluster, service)
}

// eventID is an identifier in the form of a UUID.
func eventID(id string) string {
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
