package agent

import (
	"context"
	"sync"
	"time"

	"github.com/berth-ecs/berth/node/agent/api"
)

// endpoints asks where the web sockets are. Both sessions share an answer while it is fresh, so that a server that
// moved is found and one that is there is asked once.
type endpoints struct {
	ask func(ctx context.Context) (api.Endpoints, error)

	mu  sync.Mutex
	got api.Endpoints
	at  time.Time
}

const endpointsFresh = time.Minute

func (e *endpoints) discover(ctx context.Context) (api.Endpoints, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.at.IsZero() && time.Since(e.at) < endpointsFresh {
		return e.got, nil
	}
	got, err := e.ask(ctx)
	if err != nil {
		return api.Endpoints{}, err
	}
	e.got, e.at = got, time.Now()
	return got, nil
}

func (e *endpoints) acs(ctx context.Context) (string, error) {
	got, err := e.discover(ctx)
	return got.ACS, err
}

func (e *endpoints) tcs(ctx context.Context) (string, error) {
	got, err := e.discover(ctx)
	return got.TCS, err
}
