package registry

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A registry that stops in the middle of a layer must not hold a task for ever; one that is slow may go on.
func TestASilentRegistryIsGivenUp(t *testing.T) {
	t.Parallel()
	const silence = 500 * time.Millisecond
	released := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "20")
		flush := http.NewResponseController(w)
		tick := time.NewTicker(silence / 10)
		defer tick.Stop()
		for i := range 20 {
			if i == 15 && r.URL.Path == "/stops" {
				<-released
				return
			}
			_, _ = w.Write([]byte("x"))
			_ = flush.Flush()
			<-tick.C
		}
	}))
	defer s.Close()
	defer close(released)
	c := Client(silence)
	for path, whole := range map[string]bool{"/slow": true, "/stops": false} {
		resp, err := c.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		var timeout net.Error
		if whole && err != nil || !whole && (!errors.As(err, &timeout) || !timeout.Timeout()) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
