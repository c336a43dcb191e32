// Package top shows what the containers of a region use, in a terminal.
//
// Guarantees: a page that does not come says so in place and is asked for again; nothing is shown that was measured more
// than a minute ago; what a container is named cannot control the terminal.
package top

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Source is the region that is shown.
type Source struct {
	Endpoint string       // required
	Signer   sigv4.Signer // required; root's
	Cluster  string       // optional; default all
}

const (
	patience = 5 * time.Second
	maxPage  = 256 << 20
)

// Get asks the region.
func (s Source) Get(ctx context.Context) (hub.Top, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out hub.Top
	target := s.Endpoint + health.TopPath
	if s.Cluster != "" {
		target += "?" + url.Values{"cluster": {s.Cluster}}.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return out, err
	}
	s.Signer.Sign(r, nil, clock.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return out, err
	}
	if resp.StatusCode != http.StatusOK {
		return out, fmt.Errorf("%s: %.300s", resp.Status, body)
	}
	return out, json.Unmarshal(body, &out)
}
