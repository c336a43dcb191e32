package hub

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/compose"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// payload is a task that the agent is to be told of, and the revision of the
// change that says so.
type payload struct {
	key  string
	seq  int64
	task session.Task
}

// deliver sends the payloads of the tasks that changed.
func (s *control) deliver(ctx context.Context) error {
	var todo []payload
	hopeless := map[string]error{}
	err := s.hub.Store.View(ctx, store.Any, func(tx store.Tx) error {
		for _, key := range s.changed(tx) {
			switch p, ok, err := s.due(tx, key); {
			case err != nil:
				hopeless[key] = err
			case ok:
				todo = append(todo, p)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for key, why := range hopeless {
		if err := s.giveUp(ctx, key, why); err != nil {
			return err
		}
	}
	for _, p := range todo {
		m := &session.PayloadMessage{
			ClusterArn:           s.clusterARN,
			ContainerInstanceArn: s.inst.ARN(),
			MessageID:            s.nextID(),
			GeneratedAt:          clock.Now().UnixMilli(),
			SeqNum:               p.seq,
			Timeline:             p.seq,
			Tasks:                []session.Task{p.task},
		}
		passed := failpoint.Around(failpoint.Payload)
		if err := s.send(ctx, m); err != nil {
			return err
		}
		passed()
		s.outbox.Sent(p.key, p.seq, m.MessageID, time.Now())
	}
	return nil
}

// giveUp ends a task that no payload can be made of: its agent will never hear of it.
func (s *control) giveUp(ctx context.Context, key string, why error) error {
	s.log.Error("task given up: no payload", "task", ecs.ShortID(key), "error", why)
	return s.hub.Store.Update(ctx, func(tx store.Tx) error {
		tables.AbandonTask(tx, s.hub.Wings, key, shape.TaskStopCodeTaskFailedToStart, "The task cannot be told to its agent: "+why.Error())
		return nil
	})
}

// changed takes the keys of the tasks that changed since the last call.
func (s *control) changed(tx store.Tx) []string {
	s.mu.Lock()
	keys, all := slices.Sorted(maps.Keys(s.dirty)), s.all
	s.dirty, s.all = make(map[string]bool), false
	s.mu.Unlock()
	if !all {
		return keys
	}
	keys = nil
	for v := range tables.TasksOfHost(tx, s.key, tables.Live) {
		keys = append(keys, tables.MemberKey(v.Home, v.Cluster, v.ID))
	}
	return keys
}

// due answers the payload that a task's agent must be sent now, if any: a start
// until the agent reports it RUNNING, a stop until it reports it STOPPED. The error is
// of a task that nothing can be sent of, now or later.
func (s *control) due(tx store.Tx, key string) (p payload, ok bool, err error) {
	v, ok := tables.PeekTask(tx, key)
	if !ok || v.Status.LastStatus == ecs.TaskStopped {
		s.outbox.Forget(key)
		s.waitNot(key)
		return p, false, nil
	}
	p = payload{key: key, seq: tables.TaskDesireds.Revision(tx, key)}
	stop := v.Desired.Status == shape.DesiredStatusStopped
	if !stop && v.Status.LastStatus == ecs.TaskRunning || !s.outbox.Wants(key, p.seq) {
		return p, false, nil
	}
	if stop {
		if s.held(tx, v) {
			return p, false, nil
		}
		p.task = compose.Stop(v.Task)
		return p, true, nil
	}
	d, ok := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(v.Home, v.Family, v.Revision))
	if !ok {
		return p, false, fmt.Errorf("its task definition %s:%d is gone", v.Family, v.Revision)
	}
	p.task, err = compose.Start(v.Task, compose.LogMode(d, tables.LogMode(tx, v.Home)))
	return p, err == nil, err
}

// handle acts on one message of the agent.
func (s *control) handle(ctx context.Context, m session.Message) error {
	switch m := m.(type) {
	case *session.AckRequest:
		defer failpoint.Around(failpoint.AckKept)()
		s.outbox.Ack(m.MessageID)
	case *session.HeartbeatAckRequest:
		s.silent = 0
	case *session.NackRequest:
		s.log.Warn("the agent refused a message", "message", m.MessageID, "reason", m.Reason)
	case *session.TaskStopVerificationMessage:
		return s.verify(ctx, m)
	}
	return nil
}

// verify answers which of the agent's stop candidates it may stop: those that
// this server does not want to run. A manifest is verified once.
func (s *control) verify(ctx context.Context, m *session.TaskStopVerificationMessage) error {
	if m.MessageID != s.manifest {
		s.log.Warn("verification of an unknown manifest", "message", m.MessageID)
		return nil
	}
	s.manifest = ""
	ack := &session.TaskStopVerificationAck{MessageID: m.MessageID, GeneratedAt: clock.Now().UnixMilli(), StopTasks: []session.TaskIdentifier{}}
	err := s.hub.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		for _, c := range m.StopCandidates {
			if !s.wanted(tx, c.TaskArn) {
				ack.StopTasks = append(ack.StopTasks, session.TaskIdentifier{
					TaskArn: c.TaskArn, TaskClusterArn: c.TaskClusterArn, DesiredStatus: shape.DesiredStatusStopped,
				})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.send(ctx, ack)
}

// wanted answers whether the task should run on this session's instance.
func (s *control) wanted(tx store.Tx, arn string) bool {
	if s.listed[arn] {
		return true
	}
	a, ok := ecs.ParseARN(arn)
	if !ok || a.Home != s.inst.Home || a.Kind != "task" || len(a.Parts) != 2 || slices.Contains(a.Parts, "") {
		return false
	}
	d, ok := tables.TaskDesireds.Peek(tx, tables.MemberKey(a.Home, a.Parts[0], a.Parts[1]))
	if !ok || tables.HostKey(d.Home, d.RunsOn()) != s.key {
		return false
	}
	return d.Status == shape.DesiredStatusRunning || s.leaving(tx, tables.MemberKey(a.Home, a.Parts[0], a.Parts[1]))
}
