package ready

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestState(t *testing.T) {
	var s State
	check := func(status int, want Report) {
		t.Helper()
		w := httptest.NewRecorder()
		s.Ready(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != status {
			t.Errorf("status %d, want %d", w.Code, status)
		}
		var got Report
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	check(503, Report{})
	s.Wait("store", "opening")
	s.Wait("store", "reading")
	s.Wait("node", "starting containerd")
	check(503, Report{Parts: []string{"store", "node"}, Waiting: map[string]string{"store": "reading", "node": "starting containerd"}})
	s.Done("store")
	s.Done("node")
	check(200, Report{Ready: true, Parts: []string{"store", "node"}})
	s.Wait("node", "restarting containerd")
	check(503, Report{Parts: []string{"store", "node"}, Waiting: map[string]string{"node": "restarting containerd"}})
}

func TestHealth(t *testing.T) {
	var s State
	w := httptest.NewRecorder()
	s.Health(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusOK {
		t.Errorf("a process that is not ready is still alive; got %d", w.Code)
	}
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s State
		s.Wait("store", "opening")
		s.Wait("node", "waiting")
		done := make(chan error, 1)
		go func() { done <- s.Await(t.Context()) }()
		s.Done("store")
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("ready before the node is")
		default:
		}
		s.Done("node")
		if err := <-done; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var never State
		if err := never.Await(ctx); err == nil {
			t.Error("nothing was announced, and it is ready")
		}
	})
}
