package hold

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/hold/logfile"
)

// A hold that starts while the disk is full must not give up what an earlier one took: it waits for room.
func TestAdoptsWhileTheDiskIsFull(t *testing.T) {
	t.Parallel()
	c, err := Config{RunDir: t.TempDir(), DataDir: t.TempDir()}.check()
	if err != nil {
		t.Fatal(err)
	}
	log := logfile.Path(c.LogDir(), task, "app")
	if err := os.MkdirAll(filepath.Dir(log), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", log); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(c.fifoDir(), task+"-0")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "stdout.spool"), []byte("taken before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := meta{Task: task, Name: "app", Streams: []string{logfile.Stdout}}
	o, err := openOutput(dir, m, c, c.limits())
	if err != nil {
		t.Fatalf("adopt with a full disk: %v", err)
	}
	_ = o.release() // the device cannot be synchronised
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	if o, err = openOutput(dir, m, c, c.limits()); err != nil {
		t.Fatal(err)
	}
	if err := o.finish(time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, c, "app"); len(got) != 1 || string(got[0].Text) != "taken before" {
		t.Errorf("lines %q", got)
	}
}

// A process that cannot accept any more ends, so that its clients start another.
func TestEndsWithItsListener(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := Config{RunDir: dir, DataDir: dir}.check()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &server{c: c, quit: cancel, outputs: map[string]*entry{}, listeners: map[string]*os.File{}}
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx, l) }()
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, _, err := converse(t.Context(), conn, request{Version: Version, Op: opWatch}, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a listener that broke is no error")
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits for its watchers for ever")
	}
}
