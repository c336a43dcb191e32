// Package acs is the agent's side of the control session: it takes payloads and manifests and answers them.
//
// What is guaranteed:
//
//   - A payload is acknowledged only when all of its tasks were accepted and are on disk; stops are applied before starts.
//   - A manifest is acknowledged only when it is newer than everything seen before, and its number is on disk by then.
//     Tasks it does not list are stopped only after the server verified that, once for each manifest.
//   - Messages of types this agent does not know are logged and dropped.
package acs

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/berth-ecs/berth/node/agent/backoff"
	"github.com/berth-ecs/berth/node/agent/socket"
	"github.com/berth-ecs/berth/session"
)

// Tasks is what a control session changes; the engine is one.
type Tasks interface {
	// Accept makes a task the node's own and answers a channel that closes when it is on disk.
	Accept(in session.Task) (<-chan struct{}, error)
	// Manifest answers the running tasks that are not listed.
	Manifest(listed []session.TaskIdentifier) []session.TaskIdentifier
	Stop(arns []string)
}

// Numbers keeps the highest number seen.
type Numbers interface {
	Seq() (int64, error)
	Advance(n int64) error
}

// Config is what a Client needs.
type Config struct {
	Endpoint func(ctx context.Context) (string, error) // required; the base of the web socket's URL
	Dialer   socket.Dialer                             // required
	Tasks    Tasks                                     // required
	Numbers  Numbers                                   // required
	Cluster  string                                    // required; as configured
	Instance string                                    // required; ARN
	Version  string                                    // required; of this agent
	Hash     string                                    // optional; of its source
	Log      *slog.Logger                              // required
}

// Client is the control session.
type Client struct {
	cfg       Config
	log       *slog.Logger
	connected atomic.Bool // once, in this process
	manifest  string      // id of the manifest whose verification is awaited; of the reading goroutine
}

// New makes a client.
func New(c Config) *Client { return &Client{cfg: c, log: c.Log.With("component", "acs")} }

var retry = backoff.Policy{First: 250 * time.Millisecond, Most: backoff.Away, Factor: 1.5, Jitter: 0.2}

// Run keeps the session open until ctx ends.
func (c *Client) Run(ctx context.Context) error {
	k := socket.Keeper{
		Name: "acs", URL: c.url, Dialer: c.cfg.Dialer, Backoff: retry, Log: c.log,
		Session: func(ctx context.Context, _ socket.Conn) error {
			c.connected.Store(true)
			<-ctx.Done()
			return nil
		},
		Receive: c.receive,
	}
	return k.Run(ctx)
}

// url is the address of the next connection.
func (c *Client) url(ctx context.Context) (string, error) {
	base, err := c.cfg.Endpoint(ctx)
	if err != nil {
		return "", err
	}
	q := url.Values{
		"agentHash": {c.cfg.Hash}, "agentVersion": {c.cfg.Version}, "clusterArn": {c.cfg.Cluster},
		"containerInstanceArn": {c.cfg.Instance}, "dockerVersion": {"containerd"}, "protocolVersion": {"2"}, "seqNum": {"1"},
		"sendCredentials": {"true"},
	}
	if c.connected.Load() {
		q.Set("sendCredentials", "false")
	}
	return strings.TrimSuffix(base, "/") + "/ws?" + q.Encode(), nil
}

// receive handles one frame. Frames are handled in the order they came; what waits for the disk does not hold up the next.
func (c *Client) receive(ctx context.Context, conn socket.Conn, frame []byte) {
	m, err := session.Decode(frame)
	if err != nil {
		level := slog.LevelWarn
		if errors.Is(err, session.ErrUnknownType) {
			level = slog.LevelInfo
		}
		c.log.Log(ctx, level, "message dropped", "error", err)
		return
	}
	switch m := m.(type) {
	case *session.HeartbeatMessage:
		c.send(ctx, conn, &session.HeartbeatAckRequest{MessageID: m.MessageID})
	case *session.PayloadMessage:
		c.payload(ctx, conn, m)
	case *session.TaskManifestMessage:
		c.taskManifest(ctx, conn, m)
	case *session.TaskStopVerificationAck:
		c.stopVerified(m)
	case *session.IAMRoleCredentialsMessage:
		c.log.Warn("credentials dropped: this node cannot serve task roles", "task", m.TaskArn)
	case *session.CloseMessage:
		c.log.Info("the server is about to close the connection", "message", m.Message)
	case *session.ErrorMessage:
		c.log.Warn("the server reports an error", "message", m.Message)
	default:
		c.log.Info("message dropped: not for an agent", "type", session.TypeOf(m))
	}
}

func (c *Client) send(ctx context.Context, conn socket.Conn, m session.Message) {
	frame, err := session.Encode(m)
	if err == nil {
		err = conn.Write(ctx, frame)
	}
	if err != nil && ctx.Err() == nil {
		c.log.Warn("cannot send; the server will repeat what it misses", "type", session.TypeOf(m), "error", err)
	}
}
