package wire

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
)

// NewServer returns an http.Server that slow or greedy clients cannot hold:
//
//   - headers must arrive within 10 s and be at most 64 KiB (a credential's session token is the longest thing in them);
//   - a whole request must arrive within 30 s, its answer be read within 2 min (an operation itself has Limits.Timeout);
//   - an idle connection is closed after 2 min.
//
// A hijacked connection (the agents' websockets) is free of these and must set its own deadlines.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	s := &http.Server{
		Handler:           dated{h},
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	if log != nil {
		s.Handler = panics{dated{h}, log}
		s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	}
	return s
}

// dated tells the time by this machine's clock, so that clients learn how far theirs is from it.
type dated struct{ http.Handler }

// ServeHTTP implements http.Handler.
func (d dated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", clock.Now().UTC().Format(http.TimeFormat))
	d.Handler.ServeHTTP(w, r)
}

// panics says what a handler panicked with: net/http's own line is among those of connections that end badly, which nobody reads.
type panics struct {
	http.Handler
	log *slog.Logger
}

// ServeHTTP implements http.Handler.
func (p panics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, is := v.(error); !is || !errors.Is(err, http.ErrAbortHandler) {
			p.log.Error("a page panicked", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
		}
		panic(v)
	}()
	p.Handler.ServeHTTP(w, r)
}
