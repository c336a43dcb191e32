package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestLBExplainCommand(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case !strings.Contains(r.Header.Get("Authorization"), "/elasticloadbalancing/aws4_request"), q.Get("name") == "nobody":
			http.Error(w, "nobody is nobody", http.StatusBadRequest)
		case q.Get("url") != "http://x/?a=b&c=d", q.Get("method") != "PUT", !slices.Equal(q["header"], []string{"A: 1, 2", "B: 3"}), q.Get("from") != "10.0.0.1":
			http.Error(w, "asked "+q.Encode(), http.StatusBadRequest)
		case q.Get("name") == "dead":
			_, _ = w.Write([]byte(`{"Served": false, "Verdict": "nobody answers"}`))
		default:
			_, _ = w.Write([]byte(`{"Served": true, "Verdict": "it goes there"}`))
		}
	}))
	defer server.Close()
	ask := func(name string, more ...string) (int, string) {
		args := append([]string{"lb", "explain", name, "http://x/?a=b&c=d", "--method", "PUT", "--header", "A: 1, 2", "--header", "B: 3", "--from", "10.0.0.1",
			"--listen", strings.TrimPrefix(server.URL, "http://"), "--access-key", "AKIAEXAMPLE000000000", "--secret-key", "secret"}, more...)
		var out, errs strings.Builder
		status := run(t.Context(), invocation{args: args, stdout: &out, stderr: &errs})
		return status, out.String() + errs.String()
	}
	if status, out := ask("web"); status != exitDone || out != "it goes there\n" {
		t.Errorf("%d: %s", status, out)
	}
	if status, out := ask("web", "--json"); status != exitDone || !strings.Contains(out, `"Verdict": "it goes there"`) {
		t.Errorf("%d: %s", status, out)
	}
	if status, out := ask("dead"); status != exitFailed || !strings.Contains(out, "nobody answers\n") || !strings.Contains(out, "not served") {
		t.Errorf("%d: %s", status, out)
	}
	if status, out := ask("nobody"); status != exitFailed || !strings.Contains(out, "nobody is nobody") {
		t.Errorf("%d: %s", status, out)
	}
}
