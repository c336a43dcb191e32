package agent

import (
	"context"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/agent/engine"
	"github.com/berth-ecs/berth/node/agent/health"
	"github.com/berth-ecs/berth/node/agent/tcs"
	"github.com/berth-ecs/berth/session"
)

// meter is the agent as the source of telemetry.
type meter struct{ *Agent }

var _ tcs.Source = meter{}

// Metrics implements tcs.Source.
func (m meter) Metrics(ctx context.Context) []session.TaskMetric {
	var out []session.TaskMetric
	running := map[string]bool{}
	for _, t := range m.engine.Tasks() {
		tm := session.TaskMetric{
			TaskArn: t.ARN, ClusterArn: t.Payload.TaskClusterArn,
			TaskDefinitionFamily: t.Payload.Family, TaskDefinitionVersion: t.Payload.Version,
		}
		for i := range t.Containers {
			p := &t.Plan.Containers[i]
			if t.Containers[i].Phase != engine.Running {
				continue
			}
			running[p.ID] = true
			c, ok, err := m.usage.Metric(ctx, p.ID, t.Containers[i].StartedAt)
			if err != nil {
				m.log.Debug("no metrics of a container", "container", p.ID, "error", err)
			}
			if ok {
				c.ContainerArn, c.ContainerName = p.ARN, p.Name
				if p.Restart != nil {
					c.RestartStatsSet = &session.RestartStatsSet{RestartCount: int64(t.Containers[i].Restarts)}
				}
				tm.ContainerMetrics = append(tm.ContainerMetrics, c)
			}
		}
		if len(tm.ContainerMetrics) > 0 {
			out = append(out, tm)
		}
	}
	m.usage.Forget(func(id string) bool { return running[id] })
	return out
}

// Health implements tcs.Source. Only containers with a health check are in it.
func (m meter) Health() []session.TaskHealth {
	var out []session.TaskHealth
	for _, t := range m.engine.Tasks() {
		h := session.TaskHealth{
			TaskArn: t.ARN, ClusterArn: t.Payload.TaskClusterArn,
			TaskDefinitionFamily: t.Payload.Family, TaskDefinitionVersion: t.Payload.Version,
		}
		for i := range t.Containers {
			if c := &t.Containers[i]; t.Plan.Containers[i].Health != nil && c.Phase == engine.Running {
				h.Containers = append(h.Containers, containerHealth(t.Plan.Containers[i].Name, c))
			}
		}
		if len(h.Containers) > 0 {
			out = append(out, h)
		}
	}
	return out
}

func containerHealth(name string, c *engine.Container) session.ContainerHealth {
	out := session.ContainerHealth{
		ContainerName: name, HealthStatus: health.Unknown, StatusSince: tcs.Seconds(c.StartedAt), StatusMessage: c.Health.Output,
	}
	if c.Health.Status != "" {
		out.HealthStatus, out.StatusSince = c.Health.Status, tcs.Seconds(c.Health.Since)
	}
	return out
}

// statusTimeout bounds the question whether the runtime answers.
const statusTimeout = 5 * time.Second

// Status implements tcs.Source: the runtime is well when it answers.
func (m meter) Status(ctx context.Context) session.InstanceStatus {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	_, err := m.cfg.Runtime.List(ctx)
	s := session.InstanceStatus{Type: "ContainerRuntime", Status: "OK", LastUpdated: tcs.Seconds(clock.Now())}
	if err != nil {
		s.Status, s.StatusReason = "IMPAIRED", err.Error()
	}
	return s
}

// Subscribe implements tcs.Source.
func (m meter) Subscribe() <-chan struct{} { return m.engine.Subscribe() }
