package logfile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const task = "t"

var at = time.Date(2026, 1, 2, 15, 4, 5, 6, time.UTC)

// Whatever a container writes, cut anywhere, is read as the lines it wrote.
func TestLinesSurviveAnyCut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]byte("ab \n\x00\xff")), 0, 400).Draw(rt, "text")
		dir, err := os.MkdirTemp("", "log")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		w, err := OpenWriter(Path(dir, task, "c"), Limits{MaxBytes: 1 << 20, Files: 1})
		if err != nil {
			rt.Fatal(err)
		}
		for rest := text; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "cut")
			records := Append(nil, at, Stdout, rest[:n])
			if _, err := w.Write(records); err != nil {
				rt.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			rt.Fatal(err)
		}
		var got [][]byte
		for l, err := range Read(t.Context(), dir, task, "c") {
			if err != nil || l.Stream != Stdout || !l.At.Equal(at) {
				rt.Fatal(l, err)
			}
			got = append(got, l.Text)
		}
		want := bytes.Split(text, []byte("\n"))
		if len(want[len(want)-1]) == 0 {
			want = want[:len(want)-1]
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			rt.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestLongLinesAreSplitAndBounded(t *testing.T) {
	t.Parallel()
	text := []byte(strings.Repeat("x", 3*MaxLine+5) + "\nend\n")
	records := Append(nil, at, Stderr, text)
	dir := t.TempDir()
	write(t, dir, records)
	var sizes []int
	for l, err := range Read(t.Context(), dir, task, "c") {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(l.Text))
	}
	if fmt.Sprint(sizes) != fmt.Sprint([]int{MaxLine, MaxLine, MaxLine, 5, 3}) {
		t.Errorf("lines of %v bytes", sizes)
	}
}

func write(t *testing.T, dir string, records []byte) {
	t.Helper()
	w, err := OpenWriter(Path(dir, task, "c"), Limits{MaxBytes: 10 << 20, Files: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(records); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestStreamsDoNotMix(t *testing.T) {
	t.Parallel()
	var records []byte
	records = Append(records, at, Stdout, []byte("be"))
	records = Append(records, at, Stderr, []byte("oops\nun"))
	records = Append(records, at, Stdout, []byte("gin\n"))
	dir := t.TempDir()
	write(t, dir, records)
	var got []string
	for l, err := range Read(t.Context(), dir, task, "c") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l.Stream+":"+string(l.Text))
	}
	if strings.Join(got, " ") != "stderr:oops stdout:begin stderr:un" {
		t.Errorf("%q", got)
	}
}

// A follower that reads while files rotate sees every line once, in order.
func TestFollowThroughRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const total = 3000
	limits := Limits{MaxBytes: 20_000, Files: 50}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		w, err := OpenWriter(Path(dir, task, "c"), limits)
		for i := 0; i < total && err == nil; i++ {
			records := Append(nil, at, Stdout, fmt.Appendf(nil, "line %d\n", i))
			if err = w.MakeRoom(len(records)); err == nil {
				_, err = w.Write(records)
			}
		}
		failed <- err
	}()
	next := 0
	for l, err := range Follow(ctx, dir, task, "c") {
		if err != nil {
			t.Fatal(err)
		}
		if string(l.Text) != fmt.Sprintf("line %d", next) {
			t.Fatalf("line %d is %q", next, l.Text)
		}
		if next++; next == total {
			cancel()
		}
	}
	if err := <-failed; err != nil || next != total {
		t.Errorf("%d lines, %v", next, err)
	}
}

func TestRotationIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	limits := Limits{MaxBytes: 1000, Files: 3}
	w, err := OpenWriter(Path(dir, task, "c"), limits)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		records := Append(nil, at, Stdout, fmt.Appendf(nil, "line %d\n", i))
		if err := w.MakeRoom(len(records)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(records); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, task))
	if err != nil || len(entries) != limits.Files {
		t.Errorf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Size() > limits.MaxBytes {
			t.Errorf("%s: %d bytes, %v", e.Name(), info.Size(), err)
		}
	}
	last := ""
	for l, err := range Read(t.Context(), dir, task, "c") {
		if err != nil {
			t.Fatal(err)
		}
		last = string(l.Text)
	}
	if last != "line 199" {
		t.Errorf("the last line is %q", last)
	}
}

// A rotation that failed half way (a full disk has no room for a new file) is made again when there is room.
func TestRotationRecovers(t *testing.T) {
	t.Parallel()
	for _, files := range []int{1, 3} {
		path := Path(t.TempDir(), task, "c")
		w, err := OpenWriter(path, Limits{MaxBytes: 10, Files: files})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("0123456789")); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.MakeRoom(1); err == nil {
				t.Fatalf("%d files: there is no directory to rotate in", files)
			}
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := w.MakeRoom(1); err != nil {
			t.Fatalf("%d files: %v", files, err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFollowEndsWhenTheLogIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	records := Append(nil, at, Stdout, []byte("one\n"))
	write(t, dir, records)
	n := 0
	for _, err := range Follow(t.Context(), dir, task, "c") {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if err := os.RemoveAll(filepath.Join(dir, task)); err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("%d lines", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("2026-01-02T15:04:05.123456789Z stdout F text"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if r, err := parse(line); err == nil && r.stream == "" && bytes.Contains(r.text, []byte("\n")) && !bytes.Contains(line, []byte("\n")) {
			t.Error("text from nowhere")
		}
	})
}
