package region

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/hub"
	"github.com/berth-ecs/berth/wire"
)

// routes sends what is berth's own to its pages and everything else to the AWS edge.
func routes(c Config, r rooms, edge *wire.Edge, sessions *hub.Hub) http.Handler {
	mux := agentRoutes(c, r, edge, sessions)
	mux.HandleFunc("GET "+health.ReadyPath, c.Ready.Ready)
	if r.joining != nil {
		r.joining.Operators(mux)
	}
	mux.Handle("GET "+health.ExplainPath, newExplainer(c, r))
	mux.Handle("GET "+health.LBExplainPath, newLBExplainer(c, r))
	mux.Handle("GET "+health.MetricsPath, promhttp.HandlerFor(r.metrics, promhttp.HandlerOpts{}))
	return mux
}

// agentRoutes are those that other machines reach: all but what would tell strangers about this one.
func agentRoutes(c Config, r rooms, edge *wire.Edge, sessions *hub.Hub) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+health.HealthPath, c.Ready.Health)
	mux.HandleFunc("GET "+controlPath+"ws", sessions.ServeACS)
	mux.HandleFunc("GET "+telemetryPath+"ws", sessions.ServeTCS)
	mux.HandleFunc("GET "+session.NodePath, r.nodes.link.Serve)
	mux.HandleFunc("GET "+seam.Path, r.nodes.link.ServeProxy)
	mux.HandleFunc("GET "+health.TopPath, sessions.ServeTop)
	mux.Handle(registryPath, r.images.oci)
	if r.joining != nil {
		r.joining.Machines(mux)
		mux.HandleFunc("GET "+blobsPath+"{digest}", giveBlobs(r.images.own, r.store))
	}
	mux.Handle("/", edge)
	return mux
}
