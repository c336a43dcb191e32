package main

import (
	"io"
	"log/slog"

	"github.com/berth-ecs/berth/internal/config"
)

// newLogger makes the one logger of the process; the rooms add their own component field.
func newLogger(w io.Writer, s config.Settings) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	options := &slog.HandlerOptions{Level: levels[s.LogLevel]}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
