package region

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/berth-ecs/berth/internal/release"
)

// tooFarApart names the refusal to those who read AWS's errors.
const tooFarApart = "UnsupportedReleaseException"

// oneApart refuses nodes and servers whose programs are too old or too new for this one. Clients and agents of others say no release.
func oneApart(next http.Handler, this release.Program, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := r.Header.Get(release.Header)
		that := release.Parse(said)
		if said == "" || release.Together(this, that) {
			next.ServeHTTP(w, r)
			return
		}
		why := release.Apart("this server", this, "who asks", that)
		log.Warn("a machine was refused", "path", r.URL.Path, "from", r.RemoteAddr, "why", why)
		status := http.StatusUpgradeRequired
		switch {
		case r.Header.Get("Upgrade") != "": // a session's
			write(w, status, map[string]string{tooFarApart: why})
		case strings.HasPrefix(r.URL.Path, "/_berth/"):
			http.Error(w, why, status)
		default:
			write(w, status, map[string]string{"__type": tooFarApart, "message": why})
		}
	})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asked may be gone
}
