package tasklogs

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/hold/logfile"
)

const task = "0123456789abcdef0123456789abcdef"

var begin = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

// node writes logs as a node does: container -> texts, one a second, containers a tenth apart.
func node(t *testing.T, logs map[string][]string) string {
	t.Helper()
	dir := t.TempDir()
	shift := time.Duration(0)
	for _, name := range []string{"sidecar", "web"} {
		for i, text := range logs[name] {
			write(t, dir, name, begin.Add(time.Duration(i)*time.Second+shift), text)
		}
		shift += 100 * time.Millisecond
	}
	return dir
}

func write(t *testing.T, dir, container string, at time.Time, text string) {
	t.Helper()
	path := logfile.Path(dir, task, container)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records := logfile.Append(nil, at, logfile.Stdout, []byte(text+"\n"))
	if _, err := f.Write(records); err != nil {
		t.Fatal(err)
	}
}

func TestShow(t *testing.T) {
	dir := node(t, map[string][]string{"web": {"w1", "w2"}, "sidecar": {"s1", "s2"}})
	tests := map[string]struct {
		query     Query
		want, err string
	}{
		"all, in order":     {query: Query{Task: task}, want: "sidecar | s1\nweb | w1\nsidecar | s2\nweb | w2\n"},
		"one":               {query: Query{Task: task, Container: "web"}, want: "w1\nw2\n"},
		"unknown container": {query: Query{Task: task, Container: "db"}, err: "there are logs of: sidecar, web"},
		"unknown task":      {query: Query{Task: strings.Repeat("0", 32)}, err: "logs are kept on the node"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.query.Dir = dir
			var out bytes.Buffer
			err := Show(t.Context(), test.query, &out)
			if (err != nil) != (test.err != "") || (err != nil && !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("err = %v, want %q", err, test.err)
			}
			if out.String() != test.want {
				t.Errorf("got\n%swant\n%s", out.String(), test.want)
			}
		})
	}
}

func TestTheShimsLogIsNoContainers(t *testing.T) {
	dir := node(t, map[string][]string{"web": {"w1"}})
	write(t, dir, ".shim", begin, "shim starts")
	var out bytes.Buffer
	if err := Show(t.Context(), Query{Dir: dir, Task: task}, &out); err != nil || out.String() != "w1\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestFollow(t *testing.T) {
	dir := node(t, map[string][]string{"web": {"first"}})
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Show(ctx, Query{Dir: dir, Task: task, Follow: true}, w) }()
	expect := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	expect("first\n")
	write(t, dir, "web", begin.Add(time.Minute), "second")
	expect("second\n")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("after the end: %v", err)
	}
}
