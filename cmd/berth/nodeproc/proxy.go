package nodeproc

import (
	"context"

	"github.com/berth-ecs/berth/node/proxy/fetch"
)

// proxyVersion is that of the Envoy that this node can run, "" for none.
func proxyVersion(ctx context.Context, c Config) string {
	e, err := fetch.In(ctx, c.Settings.BinDir)
	if err != nil {
		c.Log.Info("no load balancers here: berth proxy install gets what they need", "error", err)
		return ""
	}
	return e.Version
}
