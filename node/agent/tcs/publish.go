package tcs

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/agent/socket"
	"github.com/berth-ecs/berth/session"
)

// perMessage is how many tasks a message may have.
const perMessage = 10

// sender publishes on one connection.
type sender struct {
	*Client
	conn socket.Conn
	url  *url.URL
	said []session.TaskHealth // the newest health that was sent
}

// all publishes use, health and the machine's state.
func (s *sender) all(ctx context.Context) error {
	if err := s.metrics(ctx); err != nil {
		return err
	}
	if err := s.health(ctx, s.cfg.Source.Health()); err != nil {
		return err
	}
	return s.send(ctx, &session.PublishInstanceStatusRequest{
		Metadata: &session.InstanceStatusMetadata{
			Cluster: s.cfg.Cluster, ContainerInstance: s.cfg.Instance, RequestID: s.cfg.NewID(),
		},
		Statuses: []session.InstanceStatus{s.cfg.Source.Status(ctx)}, Timestamp: Seconds(clock.Now()),
	})
}

func (s *sender) metrics(ctx context.Context) error {
	tasks := s.cfg.Source.Metrics(ctx)
	id, now := s.cfg.NewID(), Seconds(clock.Now())
	meta := session.MetricsMetadata{Cluster: s.cfg.Cluster, ContainerInstance: s.cfg.Instance, MessageID: id}
	if len(tasks) == 0 {
		meta.Idle, meta.Fin = true, true
		return s.send(ctx, &session.PublishMetricsRequest{Metadata: &meta, Timestamp: now})
	}
	for part, last := range parts(tasks) {
		m := meta
		m.Fin = last
		if err := s.send(ctx, &session.PublishMetricsRequest{Metadata: &m, TaskMetrics: part, Timestamp: now}); err != nil {
			return err
		}
	}
	return nil
}

// healthNews publishes health when it is not what was said last.
func (s *sender) healthNews(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(settle):
	}
	if tasks := s.cfg.Source.Health(); !sameHealth(tasks, s.said) {
		return s.health(ctx, tasks)
	}
	return nil
}

func (s *sender) health(ctx context.Context, tasks []session.TaskHealth) error {
	id, now := s.cfg.NewID(), Seconds(clock.Now())
	for part, last := range parts(tasks) {
		err := s.send(ctx, &session.PublishHealthRequest{
			Metadata: &session.HealthMetadata{
				Cluster: s.cfg.Cluster, ContainerInstance: s.cfg.Instance, MessageID: id, Fin: last,
			},
			Tasks: part, Timestamp: now,
		})
		if err != nil {
			return err
		}
	}
	s.said = tasks
	return nil
}

// parts cuts a list into messages; the last one is marked.
func parts[T any](all []T) func(func([]T, bool) bool) {
	return func(yield func([]T, bool) bool) {
		sent := 0
		for part := range slices.Chunk(all, perMessage) {
			sent += len(part)
			if !yield(part, sent == len(all)) {
				return
			}
		}
	}
}

// sameHealth says whether two rounds say the same of every container.
func sameHealth(a, b []session.TaskHealth) bool {
	return slices.EqualFunc(a, b, func(x, y session.TaskHealth) bool {
		return x.TaskArn == y.TaskArn && slices.EqualFunc(x.Containers, y.Containers, func(c, d session.ContainerHealth) bool {
			return c.ContainerName == d.ContainerName && c.HealthStatus == d.HealthStatus
		})
	})
}

func (s *sender) send(ctx context.Context, m session.Message) error {
	payload, err := session.Encode(m)
	if err != nil {
		return err
	}
	frame, err := s.cfg.Framer.Frame(s.url, payload)
	if err != nil {
		return err
	}
	return s.conn.Write(ctx, frame)
}

// Seconds is a time as telemetry has it.
func Seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
