package main

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/berth-ecs/berth/node/agent/socket"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// agents are the container instances' ends of the control sessions: they acknowledge what they are sent and start nothing.
type agents struct {
	wg    sync.WaitGroup
	conns []socket.Conn
}

type signer struct{ s sigv4.Signer }

// Sign implements socket.Signer.
func (s signer) Sign(r *http.Request, body []byte) { s.s.Sign(r, body, time.Now()) }

// connect registers the instances of both clusters, large enough for every task of a run, and connects their agents.
func connect(ctx context.Context, s *server) (*agents, error) {
	a := &agents{}
	web := &socket.Web{Signer: signer{sigv4.Signer{Credentials: credentials, Scope: sigv4.Scope{Region: installation.Region, Service: "ecs"}}}}
	var endpoint struct{ Endpoint string }
	if err := s.ask(ctx, "DiscoverPollEndpoint", map[string]any{}, &endpoint); err != nil {
		return a, err
	}
	for _, cluster := range []string{crowd, field} {
		for range instances {
			arn, err := register(ctx, s, cluster)
			if err != nil {
				return a, err
			}
			q := url.Values{"clusterArn": {cluster}, "containerInstanceArn": {arn}, "agentVersion": {"1.0.0"}, "protocolVersion": {"2"}, "seqNum": {"1"}}
			conn, err := web.Dial(ctx, endpoint.Endpoint+"ws?"+q.Encode())
			if err != nil {
				return a, err
			}
			a.conns = append(a.conns, conn)
			a.wg.Go(func() { acknowledge(ctx, conn, cluster, arn) })
		}
	}
	return a, connected(ctx, s)
}

func register(ctx context.Context, s *server, cluster string) (string, error) {
	const plenty = 1 << 30
	var out struct {
		ContainerInstance struct{ ContainerInstanceArn string }
	}
	err := s.ask(ctx, "RegisterContainerInstance", map[string]any{"cluster": cluster, "totalResources": []any{
		map[string]any{"name": "CPU", "type": "INTEGER", "integerValue": plenty},
		map[string]any{"name": "MEMORY", "type": "INTEGER", "integerValue": plenty},
		map[string]any{"name": "PORTS", "type": "STRINGSET", "stringSetValue": []string{"22"}},
		map[string]any{"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []string{}},
	}}, &out)
	return out.ContainerInstance.ContainerInstanceArn, err
}

// connected waits until every instance's agent counts as connected.
func connected(ctx context.Context, s *server) error {
	for {
		all := 0
		for _, cluster := range []string{crowd, field} {
			var out struct{ ContainerInstanceArns []string }
			if err := s.ask(ctx, "ListContainerInstances", map[string]any{"cluster": cluster, "filter": "agentConnected == true"}, &out); err != nil {
				return err
			}
			all += len(out.ContainerInstanceArns)
		}
		if all == 2*instances {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// acknowledge answers the server until the connection ends.
func acknowledge(ctx context.Context, conn socket.Conn, cluster, arn string) {
	for {
		frame, err := conn.Read(ctx)
		if err != nil {
			return
		}
		m, err := session.Decode(frame)
		if err != nil {
			continue
		}
		var answer session.Message
		switch m := m.(type) {
		case *session.PayloadMessage:
			answer = &session.AckRequest{Cluster: cluster, ContainerInstance: arn, MessageID: m.MessageID}
		case *session.HeartbeatMessage:
			answer = &session.HeartbeatAckRequest{MessageID: m.MessageID}
		default:
			continue
		}
		if frame, err = session.Encode(answer); err != nil || conn.Write(ctx, frame) != nil {
			return
		}
	}
}

func (a *agents) close() {
	for _, c := range a.conns {
		c.Close(1000, "")
	}
	a.wg.Wait()
}
