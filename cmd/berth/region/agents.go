package region

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/config"
)

// listenAgents opens the TLS endpoint for agents of other machines; nil when there is none to be.
func listenAgents(ctx context.Context, c Config, m *membership) (net.Listener, error) {
	s := c.Settings
	if s.AgentListen == "" {
		return nil, nil
	}
	certificate, err := agentCertificate(s, m.authority)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.AgentListen)
	if err != nil {
		return nil, fmt.Errorf("listen for agents on %s: %w (agent-listen chooses another address)", s.AgentListen, err)
	}
	if _, port, _ := net.SplitHostPort(s.AgentListen); port != "443" {
		c.Log.Warn("amazon-ecs-agent verifies certificates on port 443 only: on another it needs its flag -k, which verifies nothing", "agent_listen", s.AgentListen)
	}
	return tls.NewListener(l, m.serving(certificate)), nil
}

// agentCertificate answers where the endpoint's certificate comes from.
func agentCertificate(s config.Settings, a *authority.Authority) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	if s.AgentCertificate != "" {
		f, err := authority.Load(s.AgentCertificate, s.AgentKey)
		if err != nil {
			return nil, err
		}
		return f.Get, nil
	}
	return a.Issue(s.AgentNames, clock.Now).Get, nil
}
