package hub

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/store"
)

// serveTelemetry reads an agent's telemetry until either side ends the socket.
// Every publish is acknowledged: only that feeds the agent's watchdog.
func (h *Hub) serveTelemetry(conn *websocket.Conn, inst *ecs.Instance) {
	h.mu.Lock()
	parent := h.ctx
	if parent == nil || parent.Err() != nil {
		h.mu.Unlock()
		_ = conn.Close(websocket.StatusGoingAway, "the server is not ready")
		return
	}
	h.wg.Add(1)
	h.mu.Unlock()
	defer h.wg.Done()

	log := h.Log.With("instance", inst.ID)
	err := h.readTelemetry(parent, conn, inst)
	log.Debug("telemetry session ended", "why", err)
	code := websocket.StatusNormalClosure
	if parent.Err() != nil {
		code = websocket.StatusGoingAway
	}
	_ = conn.Close(code, "")
}

func (h *Hub) readTelemetry(ctx context.Context, conn *websocket.Conn, inst *ecs.Instance) error {
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		_, body := session.SplitSigned(data)
		m, err := session.Decode(body)
		if errors.Is(err, session.ErrUnknownType) {
			continue
		}
		if err != nil {
			return err
		}
		var ack session.Message
		switch m := m.(type) {
		case *session.PublishMetricsRequest:
			ack = &session.AckPublishMetric{Message: "ok"}
		case *session.PublishInstanceStatusRequest:
			ack = &session.AckPublishInstanceStatus{Message: "ok"}
		case *session.PublishHealthRequest:
			if err := h.health(ctx, inst, m); err != nil {
				return err // not acknowledged: the agent reports again after it reconnects
			}
			ack = &session.AckPublishHealth{Message: "ok"}
		default:
			continue
		}
		if err := write(ctx, conn, ack); err != nil {
			return err
		}
	}
}

func write(ctx context.Context, conn *websocket.Conn, m session.Message) error {
	data, err := session.Encode(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, data)
}

// health writes the transitions of container health that an agent tells of. Each task is one Update: a publish
// repeats what is known, and only a transition is written.
func (h *Hub) health(ctx context.Context, inst *ecs.Instance, m *session.PublishHealthRequest) error {
	for _, t := range m.Tasks {
		a, ok := ecs.ParseARN(t.TaskArn)
		if !ok || a.Kind != "task" || len(a.Parts) != 2 || a.Account != inst.Account {
			continue
		}
		var reports []ecs.HealthReport
		for _, c := range t.Containers {
			reports = append(reports, ecs.HealthReport{
				Container: c.ContainerName, Status: c.HealthStatus, Since: time.UnixMilli(int64(c.StatusSince * 1000)).UTC(),
			})
		}
		key := tables.MemberKey(a.Home, a.Parts[0], a.Parts[1])
		err := h.Store.Update(ctx, func(tx store.Tx) error {
			if t, ok := tables.Tasks.Peek(tx, key); ok && t.Instance == inst.ID {
				tables.ReportHealth(tx, key, reports)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
