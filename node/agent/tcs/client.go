// Package tcs is the agent's side of the telemetry session: use and health of containers, every 20 s, and health at once
// when it changes.
//
// What is guaranteed: every frame is signed; a message has at most ten tasks and the last one of a round is marked; what
// could not be sent is not kept, the next round says what is true then.
package tcs

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/berth-ecs/berth/node/agent/backoff"
	"github.com/berth-ecs/berth/node/agent/socket"
	"github.com/berth-ecs/berth/session"
)

// Source measures; the agent is one.
type Source interface {
	// Metrics is the use of every task with running containers since the last call.
	Metrics(ctx context.Context) []session.TaskMetric
	// Health is the health of every task that has health checks.
	Health() []session.TaskHealth
	// Status is the state of the machine's container runtime.
	Status(ctx context.Context) session.InstanceStatus
	// Subscribe answers a channel that has a value whenever a task changed.
	Subscribe() <-chan struct{}
}

// Framer signs a frame for the web socket that is open to u.
type Framer interface {
	Frame(u *url.URL, payload []byte) ([]byte, error)
}

// Config is what a Client needs.
type Config struct {
	Endpoint func(ctx context.Context) (string, error) // required; the base of the web socket's URL
	Dialer   socket.Dialer                             // required
	Framer   Framer                                    // required
	Source   Source                                    // required
	NewID    func() string                             // required; message ids
	Cluster  string                                    // required; as configured
	Instance string                                    // required; ARN
	Version  string                                    // required; of this agent
	Hash     string                                    // optional; of its source
	Log      *slog.Logger                              // required
}

// Client is the telemetry session.
type Client struct {
	cfg  Config
	log  *slog.Logger
	news <-chan struct{}
}

// New makes a client.
func New(c Config) *Client { return &Client{cfg: c, log: c.Log.With("component", "tcs")} }

var retry = backoff.Policy{First: time.Second, Most: backoff.Away, Factor: 2, Jitter: 0.2}

// period is how often use and health are published.
const period = 20 * time.Second

// settle is how long a change of health waits for others, so that they share a message.
const settle = 20 * time.Millisecond

// Run keeps the session open until ctx ends.
func (c *Client) Run(ctx context.Context) error {
	c.news = c.cfg.Source.Subscribe()
	k := socket.Keeper{
		Name: "tcs", URL: c.url, Dialer: c.cfg.Dialer, Backoff: retry, Log: c.log,
		Session: c.publish, Receive: c.receive,
	}
	return k.Run(ctx)
}

// url is the address of the next connection. Frames are signed for it too.
func (c *Client) url(ctx context.Context) (string, error) {
	base, err := c.cfg.Endpoint(ctx)
	if err != nil {
		return "", err
	}
	q := url.Values{
		"agentHash": {c.cfg.Hash}, "agentVersion": {c.cfg.Version}, "cluster": {c.cfg.Cluster},
		"containerInstance": {c.cfg.Instance}, "dockerVersion": {"containerd"},
	}
	return strings.TrimSuffix(base, "/") + "/ws?" + q.Encode(), nil
}

// publish says everything at once and every period, and health when it changed.
func (c *Client) publish(ctx context.Context, conn socket.Conn) error {
	address, err := c.url(ctx)
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	s := sender{Client: c, conn: conn, url: u}
	tick := time.NewTicker(period)
	defer tick.Stop()
	if err := s.all(ctx); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			err = s.all(ctx)
		case <-c.news:
			err = s.healthNews(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// receive takes the server's answers; they matter to the watchdog only.
func (c *Client) receive(ctx context.Context, _ socket.Conn, frame []byte) {
	if _, err := session.Decode(frame); err != nil {
		c.log.InfoContext(ctx, "message dropped", "error", err)
	}
}
