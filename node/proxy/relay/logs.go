package relay

import (
	"context"
	"os"
	"time"
)

const (
	maxLog   = 64 << 20 // of an access log; as much again is kept of what was before
	logEvery = time.Minute
)

// rotate keeps access logs from filling the disk.
func (r *Relay) rotate(ctx context.Context) error {
	for pause(ctx, logEvery) {
		r.mu.Lock()
		files := r.view.logs // a view's never change
		r.mu.Unlock()
		if !turn(files, maxLog) {
			continue
		}
		if err := r.c.Admin.ReopenLogs(ctx); err != nil {
			r.c.Log.Warn("access logs are not opened anew", "error", err)
		}
	}
	return nil
}

// turn puts logs aside that are longer than most, and says whether there was one.
func turn(files map[string]bool, most int64) (turned bool) {
	for f := range files {
		if info, err := os.Stat(f); err == nil && info.Size() > most && os.Rename(f, f+".1") == nil {
			turned = true
		}
	}
	return turned
}
