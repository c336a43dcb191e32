package acs

import (
	"cmp"
	"context"
	"slices"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/agent/socket"
	"github.com/berth-ecs/berth/session"
)

// payload accepts the tasks of a payload, stops first, and acknowledges it when they are on disk.
func (c *Client) payload(ctx context.Context, conn socket.Conn, m *session.PayloadMessage) {
	if m.ClusterArn == "" || m.ContainerInstanceArn == "" || m.MessageID == "" {
		c.log.Warn("payload dropped: clusterArn, containerInstanceArn and messageId are required", "message", m.MessageID)
		return
	}
	tasks := slices.Clone(m.Tasks)
	slices.SortStableFunc(tasks, func(a, b session.Task) int { return cmp.Compare(order(a), order(b)) })
	var saved []<-chan struct{}
	whole := true
	for _, t := range tasks {
		done, err := c.cfg.Tasks.Accept(t)
		if err != nil {
			c.log.Warn("payload is not acknowledged", "message", m.MessageID, "error", err)
			whole = false
			continue
		}
		saved = append(saved, done)
	}
	if !whole {
		return
	}
	go func() {
		for _, done := range saved {
			select {
			case <-done:
			case <-ctx.Done():
				return
			}
		}
		if err := c.cfg.Numbers.Advance(m.SeqNum); err != nil {
			c.log.Warn("payload is not acknowledged", "message", m.MessageID, "error", err)
			return
		}
		c.ack(ctx, conn, m.ClusterArn, m.ContainerInstanceArn, m.MessageID)
	}()
}

func order(t session.Task) int {
	if t.DesiredStatus == "STOPPED" {
		return 0
	}
	return 1
}

func (c *Client) ack(ctx context.Context, conn socket.Conn, cluster, instance, message string) {
	defer failpoint.Around(failpoint.Ack)()
	c.send(ctx, conn, &session.AckRequest{Cluster: cluster, ContainerInstance: instance, MessageID: message})
}

// taskManifest compares the server's list with what runs. An old list says nothing.
func (c *Client) taskManifest(ctx context.Context, conn socket.Conn, m *session.TaskManifestMessage) {
	seen, err := c.cfg.Numbers.Seq()
	if err != nil || m.Timeline <= seen {
		c.log.Info("manifest dropped", "timeline", m.Timeline, "seen", seen, "error", err)
		return
	}
	if err := c.cfg.Numbers.Advance(m.Timeline); err != nil {
		c.log.Warn("manifest dropped", "timeline", m.Timeline, "error", err)
		return
	}
	c.manifest = m.MessageID
	c.ack(ctx, conn, m.ClusterArn, m.ContainerInstanceArn, m.MessageID)
	if extra := c.cfg.Tasks.Manifest(m.Tasks); len(extra) > 0 {
		c.send(ctx, conn, &session.TaskStopVerificationMessage{MessageID: m.MessageID, StopCandidates: extra})
	}
}

// stopVerified stops what the server verified, once for each manifest.
func (c *Client) stopVerified(m *session.TaskStopVerificationAck) {
	if m.MessageID == "" || m.MessageID != c.manifest {
		c.log.Warn("stop verification dropped: it answers no manifest", "message", m.MessageID)
		return
	}
	c.manifest = ""
	var arns []string
	for _, t := range m.StopTasks {
		arns = append(arns, t.TaskArn)
	}
	c.cfg.Tasks.Stop(arns)
}
