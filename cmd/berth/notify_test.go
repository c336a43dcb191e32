package main

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/berth-ecs/berth/internal/ready"
)

// A supervisor hears that a process is ready when it is, and nobody else is told to tell it.
func TestTheSupervisorHearsWhenItIsReady(t *testing.T) {
	at := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv(notifySocket, at)
	state := &ready.State{}
	state.Wait("server", "starting")
	(&app{}).notify(t.Context(), state)
	state.Done("server")
	_ = l.SetReadDeadline(time.Now().Add(time.Minute))
	b := make([]byte, 64)
	n, err := l.Read(b)
	if err != nil || string(b[:n]) != "READY=1" {
		t.Errorf("%q %v", b[:n], err)
	}
	(&app{}).notify(t.Context(), state) // NOTIFY_SOCKET is gone: a second one has nobody to tell
	_ = l.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := l.Read(b); err == nil {
		t.Errorf("it hears %q again", b[:n])
	}
}
