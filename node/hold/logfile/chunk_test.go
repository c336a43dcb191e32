package logfile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestHeadHasItsSize(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{Stdout, Stderr} {
		b := Append(nil, at, stream, nil)
		if h, err := parseHead(b); len(b) != HeadSize || err != nil || h != (head{at, stream, 0}) {
			t.Errorf("%q: %v, %v", b, h, err)
		}
	}
}

// What was written before there were chunks is read, and goes on in chunks of the same file.
func TestRecordsOfBeforeAreRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const before = "2026-01-02T15:04:05.000000006Z stdout F one\n2026-01-02T15:04:05.000000006Z stderr F oops\n2026-01-02T15:04:05.000000006Z stdout P tw"
	write(t, dir, append([]byte(before+"\n"), Append(nil, at.Add(time.Second), Stdout, []byte("o\n2026-\nend"))...))
	if got := all(t, dir); got != "stdout:one stderr:oops stdout:two stdout:2026- stdout:end" {
		t.Errorf("%q", got)
	}
}

func all(t *testing.T, dir string) string {
	t.Helper()
	var got []string
	for l, err := range Read(t.Context(), dir, task, "c") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l.Stream+":"+string(l.Text))
	}
	return strings.Join(got, " ")
}

// A line that ended with its container does not go on in the next one's first.
func TestEndOfALine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := Append(nil, at, Stdout, []byte("first life"))
	b = Append(b, at, Stdout, nil)
	b = Append(b, at, Stderr, nil) // nothing is open
	write(t, dir, Append(b, at, Stdout, []byte("second\n")))
	if got := all(t, dir); got != "stdout:first life stdout:second" {
		t.Errorf("%q", got)
	}
}

func piped(t *testing.T, text string) int {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p[0]); unix.Close(p[1]) })
	if n, err := unix.Write(p[1], []byte(text)); n != len(text) || err != nil {
		t.Fatal(n, err)
	}
	return p[0]
}

// A follower sees a chunk when it has its head, which one who comes after a death gives it.
func TestChunkWithoutHeadWaitsForIt(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		dir := t.TempDir()
		write(t, dir, Append(nil, at, Stdout, []byte("one\n")))
		w, err := OpenWriter(Path(dir, task, "c"), Limits{MaxBytes: 1 << 20, Files: 1})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		before, got := w.Size(), []string{}
		for l, err := range Follow(ctx, dir, task, "c") {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, string(l.Text)); len(got) == 2 {
				cancel()
				break
			}
			n, err := w.Take(piped(t, "two\n"), 1<<20)
			if n != 4 || err != nil || all(t, dir) != "stdout:one" {
				t.Fatal(n, err, all(t, dir))
			}
			if !killed {
				err = w.Seal(at, Stderr, n)
			} else if w, err = OpenWriter(Path(dir, task, "c"), Limits{MaxBytes: 1 << 20, Files: 1}); err == nil {
				err = w.Reseal(before, at, Stderr)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if fmt.Sprint(got) != "[one two]" || all(t, dir) != "stdout:one stderr:two" || w.Size() != before+HeadSize+4 {
			t.Errorf("killed %t: %q, %q, %d bytes", killed, got, all(t, dir), w.Size())
		}
	}
}

func TestResealOfNothing(t *testing.T) {
	t.Parallel()
	for _, rest := range []string{"", "@2026-01"} { // killed before it took anything, or inside the end of a line
		dir := t.TempDir()
		b := Append(nil, at, Stdout, []byte("one\n"))
		write(t, dir, append(bytes.Clone(b), rest...))
		w, err := OpenWriter(Path(dir, task, "c"), Limits{MaxBytes: 1 << 20, Files: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Reseal(int64(len(b)), at, Stdout); err != nil || w.Size() != int64(len(b)) {
			t.Errorf("%q: %d bytes, %v", rest, w.Size(), err)
		}
	}
}

// After a power cut a file may end in anything; what comes then is read all the same.
func TestCheckGoesOnBehindABrokenEnd(t *testing.T) {
	t.Parallel()
	whole := Append(nil, at, Stdout, []byte("one\n"))
	for _, end := range []string{"", "\x00\x00\x00", "@2026-", strings.Repeat("\x00", HeadSize+9), string(whole[:len(whole)-1]), "2026-01-02T15:04:05Z stdout F x"} {
		dir := t.TempDir()
		write(t, dir, append(bytes.Clone(whole), end...))
		w, err := OpenWriter(Path(dir, task, "c"), Limits{MaxBytes: 1 << 20, Files: 2})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Check(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(Append(nil, at, Stderr, []byte("two\n"))); err != nil {
			t.Fatal(err)
		}
		if got := all(t, dir); !strings.HasPrefix(got, "stdout:one ") || !strings.Contains(got, " stderr:two") {
			t.Errorf("%q: %q", end, got)
		}
		if _, err := os.Lstat(older(Path(dir, task, "c"), 1)); (err == nil) != (end != "") {
			t.Errorf("%q: an older file: %v", end, err)
		}
	}
}

// What was reserved is given back.
func TestReservedBlocksAreGivenBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, err := OpenWriter(Path(dir, task, "c"), Limits{MaxBytes: 16 << 20, Files: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.Reserve(1 << 20)
	reserved := w.room
	if _, err := w.Write(Append(nil, at, Stdout, []byte("one\n"))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(Path(dir, task, "c"), &st); err != nil || st.Size != HeadSize+4 || st.Blocks*512 > 1<<20 {
		t.Errorf("%d bytes in %d blocks, %d were reserved, %v", st.Size, st.Blocks, reserved, err)
	}
}
