package hold

import (
	"errors"
	"net"
	"testing"
	"time"
)

// A server that ends closes its listener while it accepts. Handing the socket over must not stand in the way.
func TestKeptListenerStillCloses(t *testing.T) {
	t.Parallel()
	k, _ := start(t, Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Keep(t.Context(), "metadata", l); err != nil {
		t.Fatal(err)
	}
	again, ok, err := k.Listener(t.Context(), "metadata")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for name, l := range map[string]net.Listener{"handed over": l, "taken back": again} {
		ended := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
		go l.Close()
		select {
		case err := <-ended:
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: Accept does not end", name)
		}
	}
}
