package wire_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/wire"
)

func TestPanicsOfPagesAreSaid(t *testing.T) {
	for what, c := range map[string]struct {
		panic any
		said  bool
	}{"a mistake": {"boom", true}, "an answer that is cut off on purpose": {http.ErrAbortHandler, false}} {
		t.Run(what, func(t *testing.T) {
			var log bytes.Buffer
			s := wire.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(c.panic) }), slog.New(slog.NewTextHandler(&log, nil)))
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the connection goes on")
					}
				}()
				s.Handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/page", nil))
			}()
			if got := strings.Contains(log.String(), "boom") && strings.Contains(log.String(), "/page"); got != c.said {
				t.Errorf("said %q", log.String())
			}
		})
	}
}
