package hold

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/hold/logfile"
)

// TestMain lets this binary be `berth hold` for the tests' clients.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "hold" {
		c, err := ParseFlags(os.Args[2:])
		if err == nil {
			c.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
			err = Main(context.Background(), c)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const task = "0123456789abcdef0123456789abcdef"

func start(t *testing.T, c Config) (*Client, Config) {
	t.Helper()
	if c.RunDir == "" {
		dir, err := os.MkdirTemp("", "hold") // t.TempDir is too long for a socket
		if err != nil {
			t.Fatal(err)
		}
		c.RunDir, c.DataDir, c.Exe = dir, filepath.Join(dir, "data"), os.Args[0]
	}
	k, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(c.RunDir); err != nil {
			t.Error(err)
		}
	})
	return k, k.c
}

// shim opens the FIFOs as a shim does: both ends, so that it never sees a reader go.
func shim(t *testing.T, path string) *os.File {
	t.Helper()
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(); r.Close() })
	return w
}

func lines(t *testing.T, c Config, name string) []logfile.Line {
	t.Helper()
	var out []logfile.Line
	for l, err := range logfile.Read(t.Context(), c.LogDir(), task, name) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

func TestOutputIsOnDiskAfterClose(t *testing.T) {
	t.Parallel()
	k, c := start(t, Config{})
	id := task + "-1"
	f, err := k.Open(t.Context(), id, "web")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := k.Open(t.Context(), id, "web"); err != nil || again != f {
		t.Errorf("open again: %v %v", again, err)
	}
	out, errs := shim(t, f.Stdout), shim(t, f.Stderr)
	fmt.Fprint(out, "one\ntwo\nlast without newline")
	fmt.Fprint(errs, "problem\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := k.Close(ctx, id); err == nil {
		t.Error("close of an output that has not ended says nothing")
	}
	if err := k.Close(t.Context(), id); err != nil {
		t.Errorf("close again: %v", err)
	}
	got := map[string]string{}
	for _, l := range lines(t, c, "web") {
		got[l.Stream] += string(l.Text) + "|"
	}
	if got["stdout"] != "one|two|last without newline|" || got["stderr"] != "problem|" {
		t.Errorf("lines: %q", got)
	}
	if _, err := os.Stat(filepath.Dir(f.Stdout)); !os.IsNotExist(err) {
		t.Errorf("FIFOs are left: %v", err)
	}
	if err := k.Remove(t.Context(), task); err != nil {
		t.Error(err)
	}
	if len(lines(t, c, "web")) > 0 {
		t.Error("a removed log has lines")
	}
}

// TestKillLosesNothing kills hold again and again while a container writes flat
// out, and counts the lines.
func TestKillLosesNothing(t *testing.T) {
	t.Parallel()
	k, c := start(t, Config{MaxBytes: 1 << 30})
	id := task + "-1"
	f, err := k.Open(t.Context(), id, "chatty")
	if err != nil {
		t.Fatal(err)
	}
	out := shim(t, f.Stdout)
	var wg sync.WaitGroup
	total := 0
	enough := make(chan struct{})
	wg.Go(func() {
		w := bufio.NewWriterSize(out, 5000) // lines are cut anywhere
		for ; ; total++ {
			if _, err := fmt.Fprintf(w, "%d %s\n", total, strings.Repeat("x", total%150)); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-enough:
				if err := w.Flush(); err != nil {
					t.Error(err)
				}
				total++
				return
			default:
			}
		}
	})
	for range 12 {
		pid := k.Pid()
		size := logSize(c)
		until(t, "output", func() bool { return logSize(c) > size+200_000 })
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Error(err)
		}
		until(t, "a new hold", func() bool { return k.Pid() != pid })
	}
	close(enough)
	wg.Wait()
	out.Close()
	if err := k.Close(t.Context(), id); err != nil {
		t.Error(err)
	}
	next := 0
	for _, l := range lines(t, c, "chatty") {
		n, rest, _ := strings.Cut(string(l.Text), " ")
		if got, err := strconv.Atoi(n); err != nil || got != next || len(rest) != next%150 {
			t.Fatalf("line %d is %q", next, l.Text)
		}
		next++
	}
	if next != total {
		t.Errorf("%d lines of %d", next, total)
	}
}

func logSize(c Config) int64 {
	info, err := os.Stat(logfile.Path(c.LogDir(), task, "chatty"))
	if err != nil {
		return 0
	}
	return info.Size()
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !ok() {
		if !pause(ctx, time.Millisecond) {
			t.Fatalf("no %s within a minute", what)
		}
	}
}

func TestListenerIsHandedOver(t *testing.T) {
	t.Parallel()
	k, _ := start(t, Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Keep(t.Context(), "metadata", l); err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close() // the node process ends
	if _, ok, err := k.Listener(t.Context(), "another"); ok || err != nil {
		t.Errorf("another: %v %v", ok, err)
	}
	pid := k.Pid()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "a new hold", func() bool { return k.Pid() != pid })
	conn, err := net.Dial("tcp", addr) // waits in the socket's queue
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got, ok, err := k.Listener(t.Context(), "metadata")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer got.Close()
	in, err := got.Accept()
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
}

func TestAnotherVersionIsReplaced(t *testing.T) {
	t.Parallel()
	k, c := start(t, Config{})
	f, err := k.Open(t.Context(), task+"-1", "web")
	if err != nil {
		t.Fatal(err)
	}
	pid := k.Pid()
	again, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if again.Pid() != pid {
		t.Error("a hold of the same version is not adopted")
	}
	again.Stop()
	k.Stop()
	if err := k.replace(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(f.Stdout, os.O_RDWR, 0) // its container writes while nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	fmt.Fprintln(out, "meanwhile")
	next, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Stop()
	until(t, "the adopted line", func() bool { return len(lines(t, c, "web")) == 1 })
}

func TestBadRequestsAreRefused(t *testing.T) {
	t.Parallel()
	k, _ := start(t, Config{})
	for _, c := range []struct{ id, name string }{{"x", "web"}, {"../x-1", "web"}, {task + "-1", "../../etc"}, {task + "-1", ""}, {"shim-1", "web"}} {
		if _, err := k.Open(t.Context(), c.id, c.name); err == nil {
			t.Errorf("%q %q is not refused", c.id, c.name)
		}
	}
	if err := k.Remove(t.Context(), ".."); err == nil {
		t.Error("remove of .. is not refused")
	}
}

func TestShimLog(t *testing.T) {
	t.Parallel()
	k, c := start(t, Config{})
	path, err := k.Log(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(w, "trouble")
	w.Close()
	if err := k.LogDone(t.Context(), task); err != nil {
		t.Error(err)
	}
	if got := lines(t, c, shimLog); len(got) != 1 || string(got[0].Text) != "trouble" {
		t.Errorf("shim log: %v", got)
	}
}
