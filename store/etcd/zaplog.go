package etcd

import (
	"context"
	"errors"
	"log/slog"
	"syscall"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapTo routes etcd's log to log. Its Info lines are our Debug: they tell of etcd's inner life, not of berth's.
func zapTo(log *slog.Logger) *zap.Logger {
	return zap.New(slogCore{log: log})
}

type slogCore struct {
	log *slog.Logger
}

func level(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelError
	case l >= zapcore.WarnLevel:
		return slog.LevelWarn
	case l >= zapcore.InfoLevel:
		return slog.LevelDebug
	}
	return slog.LevelDebug - 4
}

func (c slogCore) Enabled(l zapcore.Level) bool {
	return c.log.Enabled(context.Background(), level(l))
}

func (c slogCore) With(fields []zapcore.Field) zapcore.Core {
	return slogCore{log: c.log.With(attrs(fields)...)}
}

// beside are warnings about listeners and their users, which an etcd that listens nowhere does not have.
var beside = map[string]bool{
	"Running http and grpc server on single port. This is not recommended for production.": true,
	"simple token is not cryptographically signed":                                         true,
}

func (c slogCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if beside[e.Message] {
		return ce
	}
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c slogCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	c.log.Log(context.Background(), level(e.Level), e.Message, attrs(fields)...) //nolint:sloglint // the message is etcd's
	if e.Level >= zapcore.DPanicLevel {                                          // etcd ends the process after this line
		c.log.Error("the store cannot go on, and this server ends: what was acknowledged is on the disks of most servers", "why", whyItEnds(fields))
	}
	return nil
}

func (c slogCore) Sync() error { return nil }

func attrs(fields []zapcore.Field) []any {
	enc := zapcore.NewMapObjectEncoder()
	out := make([]any, 0, len(fields))
	for _, f := range fields {
		f.AddTo(enc)
		out = append(out, slog.Any(f.Key, enc.Fields[f.Key]))
	}
	return out
}

// whyItEnds says what an operator can do about etcd's end, if that is known.
func whyItEnds(fields []zapcore.Field) string {
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok && errors.Is(err, syscall.ENOSPC) {
			return "the disk of data-dir is full: make room, and start the server again"
		}
	}
	return "see the line before"
}
