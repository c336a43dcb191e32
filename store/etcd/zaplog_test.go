package etcd

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestWhyTheStoreEndsIsSaid(t *testing.T) {
	full := fmt.Errorf("commit: %w", &fs.PathError{Op: "write", Path: "/x/db", Err: syscall.ENOSPC})
	for name, c := range map[string]struct {
		log  func(*zap.Logger)
		want string
	}{
		"a full disk":   {func(l *zap.Logger) { l.Fatal("failed to commit tx", zap.Error(full)) }, "the disk of data-dir is full"},
		"another cause": {func(l *zap.Logger) { l.Panic("unexpected", zap.String("id", "7")) }, "see the line before"},
		"none":          {func(l *zap.Logger) { l.Error("failed to send", zap.Error(full)) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			l := zapTo(slog.New(slog.NewTextHandler(&out, nil))).WithOptions(zap.WithFatalHook(zapcore.WriteThenPanic))
			func() {
				defer func() { _ = recover() }()
				c.log(l)
			}()
			if says := strings.Contains(out.String(), "this server ends"); says != (c.want != "") || !strings.Contains(out.String(), c.want) {
				t.Errorf("it says %s", out.String())
			}
		})
	}
}
