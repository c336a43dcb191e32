package hub

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/store"
)

// maxIdle is how long a telemetry session may be without a message. Agents publish every 20 s, and end a session themselves that is not
// acknowledged for a minute.
const maxIdle = 3 * time.Minute

// feed is one agent's telemetry session.
type feed struct {
	key     string // of the instance
	machine string // as of a control session
	cancel  context.CancelCauseFunc
}

// serveTelemetry reads an agent's telemetry until either side ends the socket.
// Every publish is acknowledged: only that feeds the agent's watchdog.
func (h *Hub) serveTelemetry(conn *websocket.Conn, inst *ecs.Instance, machine string) {
	f := &feed{key: tables.MemberKey(inst.Home, inst.Cluster, inst.ID), machine: machine}
	ctx, ok := h.open(f)
	if !ok {
		_ = conn.Close(websocket.StatusGoingAway, "the server is not ready")
		return
	}
	defer h.shut(f)
	if machine != "" && h.Removed(machine) { // since its keys were looked at
		f.cancel(errRemoved)
	}

	err := h.readTelemetry(ctx, conn, inst)
	code := websocket.StatusNormalClosure
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.Canceled):
		code = websocket.StatusGoingAway
	case cause != nil:
		err = cause
	}
	h.Log.Debug("telemetry session ended", "instance", inst.ID, "why", err)
	_ = conn.Close(code, "")
}

// open makes f the telemetry session of its instance and ends the one it replaces. It
// answers false when the hub is not running.
func (h *Hub) open(f *feed) (context.Context, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx == nil || h.ctx.Err() != nil {
		return nil, false
	}
	if old := h.feeds[f.key]; old != nil {
		old.cancel(errReplaced)
	}
	ctx, cancel := context.WithCancelCause(h.ctx)
	f.cancel = cancel
	h.feeds[f.key] = f
	h.wg.Add(1)
	return ctx, true
}

// shut ends what open began.
func (h *Hub) shut(f *feed) {
	defer h.wg.Done()
	f.cancel(nil)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.feeds[f.key] == f {
		delete(h.feeds, f.key)
	}
}

func (h *Hub) readTelemetry(ctx context.Context, conn *websocket.Conn, inst *ecs.Instance) error {
	pace := newPace()
	for {
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		data, err := read(ctx, conn)
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
			h.use.Take(tables.MemberKey(inst.Home, inst.Cluster, inst.ID), m, clock.Now())
			ack = &session.AckPublishMetric{Message: "ok"}
		case *session.PublishInstanceStatusRequest:
			if err := h.condition(ctx, inst, m); err != nil {
				return err
			}
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

// read takes the next message, if it comes in time.
func read(ctx context.Context, conn *websocket.Conn) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxIdle, errIdle)
	defer cancel()
	_, data, err := conn.Read(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errIdle) {
		err = errIdle
	}
	return data, err
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

// condition notes what an agent says of its machine.
func (h *Hub) condition(ctx context.Context, inst *ecs.Instance, m *session.PublishInstanceStatusRequest) error {
	overall := m.Overall()
	if overall == "" {
		return nil
	}
	return h.Store.Update(ctx, func(tx store.Tx) error {
		tables.MarkInstanceHealth(tx, tables.MemberKey(inst.Home, inst.Cluster, inst.ID), overall)
		return nil
	})
}

// health writes the transitions of container health that an agent tells of. Each task is one Update: a publish
// repeats what is known, and only a transition is written.
func (h *Hub) health(ctx context.Context, inst *ecs.Instance, m *session.PublishHealthRequest) error {
	for _, t := range m.Tasks {
		a, ok := ecs.ParseARN(t.TaskArn)
		if !ok || a.Home != inst.Home || a.Kind != "task" || len(a.Parts) != 2 || slices.Contains(a.Parts, "") {
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
			if t, ok := tables.Tasks.Peek(tx, key); ok && t.RunsOn() == (ecs.Host{Cluster: inst.Cluster, Instance: inst.ID}) {
				tables.ReportHealth(tx, h.Wings, key, reports)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
