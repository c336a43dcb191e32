package sandbox

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type counts map[string]uint64

func TestSplit(t *testing.T) {
	var s Split
	for _, c := range []struct {
		name  string
		whole uint64
		own   counts
		want  counts
	}{
		{"the first reading", 300, counts{"a": 100, "b": 50}, counts{"a": 200, "b": 100}},
		{"nothing new", 300, counts{"a": 100, "b": 50}, counts{"a": 200, "b": 100}},
		{"one works", 400, counts{"a": 180, "b": 50}, counts{"a": 300, "b": 100}},
		{"only the sandbox itself does", 410, counts{"a": 180, "b": 50}, counts{"a": 305, "b": 105}},
		{"another came", 470, counts{"a": 200, "b": 60, "c": 30}, counts{"a": 325, "b": 115, "c": 30}},
		{"one began anew", 490, counts{"a": 200, "b": 60, "c": 5}, counts{"a": 325, "b": 115, "c": 50}},
		{"one is gone", 500, counts{"a": 210, "b": 60}, counts{"a": 335, "b": 115}},
	} {
		if d := cmp.Diff(c.want, counts(s.Next(c.whole, c.own))); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// No count falls, and together they are the whole's, but for what rounding does.
func TestSplitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Split
		whole, own, before := uint64(0), map[string]uint64{}, map[string]uint64{}
		ids := []string{"a", "b", "c"}
		steps := rapid.IntRange(1, 20).Draw(t, "steps")
		for range steps {
			whole += rapid.Uint64Range(0, 1<<40).Draw(t, "whole")
			next := map[string]uint64{}
			for _, id := range ids {
				next[id] = own[id] + rapid.Uint64Range(0, 1<<40).Draw(t, id)
			}
			own = next
			now, sum := s.Next(whole, own), uint64(0)
			for id, n := range now {
				if n < before[id] {
					t.Fatalf("%s fell from %d to %d", id, before[id], n)
				}
				sum += n
			}
			if diff := int64(sum - whole); diff > int64(1024*steps) || diff < -int64(1024*steps) {
				t.Fatalf("together %d of %d", sum, whole)
			}
			before = now
		}
	})
}

func TestAsk(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   Told
		err    string
	}{
		"well":    {`{"success":true,"err":"","result":{"event":{"type":"stats","data":{"pids":{"current":3}}},"containerUsage":{"a":7,"b":9}}}`, Told{CPU: map[string]uint64{"a": 7, "b": 9}, Pids: 3}, ""},
		"unknown": {`{"success":false,"err":"container \"x\" not found","result":{}}`, Told{}, `the sandbox answers: container "x" not found`},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := net.Pipe()
			go func() {
				var call struct{ Method, Arg string }
				err := json.NewDecoder(there).Decode(&call)
				if err == nil && (call.Method != "containerManager.Event" || call.Arg != "x") {
					err = errors.New("asked for " + call.Method + " of " + call.Arg)
				}
				if err != nil {
					t.Error(err)
				}
				_, _ = there.Write([]byte(c.answer))
				_ = there.Close()
			}()
			asking, err := newControl(t.Context(), here)
			if err != nil {
				t.Fatal(err)
			}
			got, err := asking.told("x")
			if d := cmp.Diff(c.want, got); d != "" || c.err == "" && err != nil || c.err != "" && (err == nil || err.Error() != c.err) {
				t.Errorf("%v %s", err, d)
			}
		})
	}
}

// A sandbox is asked and found where it listens, however long the name is; one that has ended left its socket.
func TestWhereASandboxListens(t *testing.T) {
	c := Config{Dir: filepath.Join(t.TempDir(), strings.Repeat("long/", 20)), Namespace: "n"}
	state := filepath.Join(c.Path(task), c.Namespace)
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if c.Answers(task) {
		t.Error("nobody listens")
	}
	dir, err := os.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket(dir, task), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			var call any
			_ = json.NewDecoder(conn).Decode(&call) // of Answers there is none
			_, _ = conn.Write([]byte(`{"success":true,"result":{"containerUsage":{"a":1}}}`))
			_ = conn.Close()
		}
	}()
	if !c.Answers(task) {
		t.Error("it listens")
	}
	if told, err := c.Ask(t.Context(), task, "a"); err != nil || told.CPU["a"] != 1 {
		t.Errorf("%+v, %v", told, err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if c.Answers(task) {
		t.Error("it has ended")
	}
}
