package client

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Clocks may differ by sigv4.Skew. It is said before that, and again when it is another difference.
const (
	skewTold    = time.Minute
	skewChanged = 30 * time.Second
)

// compare notices how far this machine's clock is from that of the server that answered. It tells whether that is too far for signatures.
func (f *Fleet) compare(resp *http.Response) (tooFar bool) {
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return false
	}
	skew := clock.Now().Sub(at).Round(time.Second)
	tooFar = skew.Abs() > sigv4.Skew
	server := f.all()[0]
	f.mu.Lock()
	told := f.told[server]
	news := (skew-told).Abs() > skewChanged && (skew.Abs() > skewTold || told != 0)
	if news {
		f.told[server] = skew
		if skew.Abs() <= skewTold {
			f.told[server] = 0
		}
	}
	f.mu.Unlock()
	if !news {
		return tooFar
	}
	about := f.log.With(slog.String("server", server), slog.String("ahead_by", skew.String()), slog.String("allowed", sigv4.Skew.String()))
	switch {
	case tooFar:
		about.Error("this machine's clock and the server's differ by more than signatures may: it refuses what this machine asks; set the clocks")
	case skew.Abs() > skewTold:
		about.Warn("this machine's clock and the server's differ: set the clocks")
	default:
		about.Info("this machine's clock and the server's agree again")
	}
	return tooFar
}
