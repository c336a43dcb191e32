package region

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/internal/release"
)

func TestProgramsAreOneReleaseApart(t *testing.T) {
	h := oneApart(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), release.Program{Level: 3, Version: "v3"}, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		says, path, upgrade string
		body                string // "": it is served
	}{
		{"", "/", "", ""}, {"2 v2", "/", "", ""}, {"3 v3", "/", "", ""}, {"4 v4", "/", "", ""},
		{"1 v1", "/", "", `"__type":"UnsupportedReleaseException"`}, {"5 v5", "/_berth/join", "", "this server is of release level 3 (berth v3), who asks of level 5 (berth v5)"},
		{"5 v5", "/_berth/acs/ws", "websocket", `{"UnsupportedReleaseException":"`}, {"nonsense", "/", "", release.Rule},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, nil)
		if c.says != "" {
			r.Header.Set(release.Header, c.says)
		}
		if c.upgrade != "" {
			r.Header.Set("Upgrade", c.upgrade)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if refused := w.Code == http.StatusUpgradeRequired; refused != (c.body != "") || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%q at %s: %d %s", c.says, c.path, w.Code, w.Body)
		}
	}
}
