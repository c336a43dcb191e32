package health

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/internal/ready"
)

func TestReady(t *testing.T) {
	var state ready.State
	mux := http.NewServeMux()
	mux.HandleFunc(ReadyPath, state.Ready)
	server := httptest.NewServer(mux)
	defer server.Close()
	check := func(wantReady bool, wantDoing string) {
		t.Helper()
		isReady, doing := Page(server.URL).Ready(t.Context())
		if isReady != wantReady || doing != wantDoing {
			t.Errorf("Ready = %v %q, want %v %q", isReady, doing, wantReady, wantDoing)
		}
	}
	check(false, "starting")
	state.Wait("store", "opening")
	state.Wait("node", "starting containerd")
	check(false, "node starting containerd, store opening")
	state.Done("store")
	state.Done("node")
	check(true, "")
}

func TestNobodyOrAnotherListens(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	if _, err := Page(other.URL).Report(t.Context()); err == nil || !strings.Contains(err.Error(), "is not berth's") {
		t.Errorf("another program's answer: %v", err)
	}
	other.Close()
	if isReady, doing := Page(other.URL).Ready(t.Context()); isReady || doing != "starting" {
		t.Errorf("nobody listens: %v %q", isReady, doing)
	}
}
