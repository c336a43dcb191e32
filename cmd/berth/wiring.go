package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/berth-ecs/berth/internal/config"
)

// wiredParts connects the command line with the region's rooms.
func wiredParts() parts {
	return parts{
		runServer: func(context.Context, config.Settings, *slog.Logger) error { return missing("server") },
		runNode:   func(context.Context, config.Settings, *slog.Logger) error { return missing("node") },
		runHold:   func(context.Context, config.Settings, *slog.Logger, []string) error { return missing("hold") },
		destroy:   func(context.Context, config.Settings, *slog.Logger) error { return nil },
		readLog:   func(context.Context, config.Settings, logQuery, io.Writer) error { return missing("logs") },
		coverage:  func(io.Writer) error { return missing("coverage") },
		load:      func(context.Context, config.Settings, string) error { return missing("image import") },
	}
}
