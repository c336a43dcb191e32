package agent

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/berth-ecs/berth/node/agent/api"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/runtime"
)

// loginKept is how long a login is used again, so that a service that scales out signs in once.
const loginKept = 10 * time.Minute

// logins signs in to registries, as the node.
type logins struct {
	client   func(region string) *api.Client
	endpoint string // where the registries are, whatever their names say

	mu    sync.Mutex
	known map[plan.Registry]login
}

type login struct {
	runtime.Login
	until time.Time
}

// Login implements engine.Registries.
func (l *logins) Login(ctx context.Context, r plan.Registry, fresh bool) (runtime.Login, error) {
	l.mu.Lock()
	have, ok := l.known[r]
	l.mu.Unlock()
	if ok && !fresh && time.Now().Before(have.until) {
		return have.Login, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := l.client(r.Region)
	if r.Endpoint != "" {
		client.Endpoint = r.Endpoint
	}
	token, expires, err := client.GetAuthorizationToken(ctx, r.ID)
	if err != nil {
		return runtime.Login{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(token)
	user, password, found := strings.Cut(string(raw), ":")
	if err != nil || !found {
		return runtime.Login{}, errors.New("docker auth: AuthorizationData is malformed")
	}
	have = login{runtime.Login{Username: user, Password: password, Endpoint: l.endpoint}, time.Now().Add(loginKept)}
	if expires.Before(have.until) {
		have.until = expires
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[plan.Registry]login{}
	}
	l.known[r] = have
	return have.Login, nil
}

// logins are those of this agent.
func (a *Agent) logins() *logins {
	return &logins{endpoint: a.cfg.Endpoint, client: func(region string) *api.Client {
		return &api.Client{Endpoint: a.cfg.Endpoint, Signer: signer{a.cfg.Credentials, region, "ecr"}, HTTP: a.cfg.HTTP, Agent: a.userAgent()}
	}}
}
