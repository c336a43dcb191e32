package daemon

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

const (
	maxLog       = 16 << 20
	boundLogTime = time.Minute
)

// boundLog keeps containerd's log from filling the disk until ctx ends.
func (d *Daemon) boundLog(ctx context.Context) {
	for {
		if err := bound(d.logFile(), maxLog); err != nil {
			d.c.Log.Warn("containerd's log cannot be made short", "error", err)
		}
		if !pause(ctx, boundLogTime) {
			return
		}
	}
}

// bound empties a file that is longer than most. Whoever appends to it goes on at its beginning.
func bound(path string, most int64) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || info.Size() <= most {
		return err
	}
	return os.Truncate(path, 0)
}
