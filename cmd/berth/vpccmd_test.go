package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestExplainCommand(t *testing.T) {
	for _, c := range []struct {
		command explainCommand
		want    string
	}{
		{explainCommand{From: "eni-1", To: "internet", Port: "443"}, "from=eni-1&port=443&protocol=tcp&to=internet"},
		{explainCommand{From: "eni-1", To: "10.0.0.4", Port: "53/UDP", VPC: "vpc-1", SourcePort: 9}, "from=eni-1&port=53&protocol=udp&source-port=9&to=10.0.0.4&vpc=vpc-1"},
		{explainCommand{From: "a", To: "b", Port: "icmp"}, "from=a&port=&protocol=icmp&to=b"},
	} {
		if got := c.command.values().Encode(); got != c.want {
			t.Errorf("%+v asks %s, want %s", c.command, got, c.want)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "/ec2/aws4_request") || r.URL.Query().Get("to") == "nobody" {
			http.Error(w, "nobody is nobody", http.StatusBadRequest)
			return
		}
		_, _ = w.Write([]byte(`{"open": true, "verdict": "open: it is"}`))
	}))
	defer server.Close()
	flags := []string{"--listen", strings.TrimPrefix(server.URL, "http://"), "--access-key", "AKIAEXAMPLE000000000", "--secret-key", "secret"}
	ask := func(to string) (int, string) {
		var out, errs strings.Builder
		status := run(t.Context(), invocation{args: append([]string{"vpc", "explain", "eni-1", to, "80"}, flags...), stdout: &out, stderr: &errs})
		return status, out.String() + errs.String()
	}
	if status, out := ask("eni-2"); status != exitDone || out != "open: it is\n" {
		t.Errorf("%d: %s", status, out)
	}
	if status, out := ask("nobody"); status != exitFailed || !strings.Contains(out, "nobody is nobody") {
		t.Errorf("%d: %s", status, out)
	}
}
