package client

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
)

// A difference is told once, and again when it is another one; one that no signature bears is told apart.
func TestCompare(t *testing.T) {
	var log bytes.Buffer
	f := &Fleet{servers: []string{"10.0.0.1:8443"}, told: map[string]time.Duration{}, log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, step := range []struct {
		ahead  time.Duration // this machine's clock
		tooFar bool
		says   string // "": nothing
	}{
		{0, false, ""},
		{50 * time.Second, false, ""},
		{4 * time.Minute, false, "level=WARN"},
		{4*time.Minute + 10*time.Second, false, ""},
		{6 * time.Minute, true, "level=ERROR"},
		{6 * time.Minute, true, ""},
		{-10 * time.Minute, true, "ahead_by=-"},
		{0, false, "agree again"},
		{2 * time.Second, false, ""},
	} {
		log.Reset()
		resp := &http.Response{Header: http.Header{"Date": {clock.Now().Add(-step.ahead).UTC().Format(http.TimeFormat)}}}
		if got := f.compare(resp); got != step.tooFar {
			t.Errorf("%v ahead is too far: %v", step.ahead, got)
		}
		if said := log.String(); (step.says == "") != (said == "") || !strings.Contains(said, step.says) {
			t.Errorf("%v ahead: %q, want %q", step.ahead, said, step.says)
		}
	}
	if f.compare(&http.Response{Header: http.Header{}}) {
		t.Error("an answer without a date is too far")
	}
}
