package metadata

import (
	"context"
	"log/slog"
	"net/http"
)

// Source knows the containers of this node.
type Source interface {
	Lookup(endpointID string) (Task, Container, bool)
	Stats(ctx context.Context, containerID string) (any, error)
}

// Handler answers the metadata endpoint from s.
func Handler(s Source, log *slog.Logger) http.Handler { return http.NotFoundHandler() }
