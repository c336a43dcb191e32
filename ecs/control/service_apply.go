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
	again  time.Duration // when to try again what has no place, although nothing changed; zero: never

	wings    tables.Wings
	launched int // tasks that were asked for so far
	left     int // writes that launches may still do
}

// apply writes the plan, or the part of it that fits, and says whether it wrote anything. The status is written with every action, which is
// what makes two leaders collide. again is when to try again what found no place, although nothing changed; zero for never.
func (s services) apply(tx store.Tx, in rollout.Input, plan rollout.Steps) (wrote bool, again time.Duration, err error) {
	w := &step{tx: tx, svc: in.Service, status: plan.Status, say: plan.Say, wings: s.wings}
	tally := &tables.Tally{}
	w.wings.Tally = tally
	for _, stop := range plan.Stops {
		// Whoever protects it at the same time comes before or after.
		tables.TaskProtections.Get(tx, tables.MemberKey(w.svc.Home, w.svc.Cluster, stop.Task))
		tables.StopTask(tx, w.wings, tables.MemberKey(w.svc.Home, w.svc.Cluster, stop.Task), stop.Code, stop.Reason)
		w.acted = true
	}
	w.wings.Tally = nil
	w.say = append(w.say, tally.Sentences(in.Service.Name)...)
	w.left = writesBeside(plan, stopCost(in.Service, in.Status), len(w.say))
	for _, start := range plan.Starts {
		if err := w.start(start); err != nil {
			return false, 0, err
		}
	}
	for _, d := range plan.History {
		tables.ServiceDeploymentStatuses.Put(tx, d)
		w.acted = true
	}
	if !w.acted && len(w.say) == 0 && in.Status != nil && reflect.DeepEqual(in.Status, w.status) {
		return false, w.again, nil
	}
	tables.ServiceStatuses.Put(tx, w.status)
	w.events()
	return true, w.again, nil
}

// writesBeside is how many keys launches may write in the transaction that does the rest of the plan, in which each stop writes so many: a
// sentence writes one and drops one, and each start may say two; a service deployment that comes further is one.
func writesBeside(plan rollout.Steps, stop, say int) int {
	const status = 1 + overdue
	return max(0, store.MaxWrites-status-len(plan.History)-stop*len(plan.Stops)-2*(say+2*len(plan.Starts)))
}

// start launches tasks, as many as there is room for, and notes why not all of them.
func (s *step) start(start rollout.Start) error {
	spec, err := specOf(s.tx, s.svc, start)
	if err != nil {
		return s.refused(err)
	}
	most, each := tables.Bounds(spec.Definition)
	spec.Count = min(spec.Count, most-s.launched, s.left/each)
	if spec.Count <= 0 {
		return nil
	}
	s.launched += spec.Count
	s.left -= spec.Count * each
	return s.launch(portions(s.tx, s.svc, start.Deployment, spec))
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

// overdue is how many events more than it writes the loop drops at once: others write some, too.
const overdue = 10

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
	for _, key := range keys[:min(len(s.say)+overdue, max(0, len(keys)+len(s.say)-eventsKept))] {
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
