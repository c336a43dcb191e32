package registry

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// words listens to what a registry says about a failure: containerd asks with HEAD, whose answers have no body, and keeps the status
// alone. One is for one pull.
type words struct {
	inner http.RoundTripper

	mu     sync.Mutex
	last   string // in the form of Docker's daemon: "manifest unknown: Requested image not found"
	denied bool   // the credentials were refused
}

// maxWords bounds what is read of a failure.
const maxWords = 16 << 10

// RoundTrip implements http.RoundTripper.
func (w *words) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.inner.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	asked := resp.StatusCode == http.StatusUnauthorized && r.Header.Get("Authorization") == "" // the challenge, no failure yet
	if resp.StatusCode < http.StatusBadRequest || asked {
		return resp, nil
	}
	said := w.read(r, resp)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = said
	w.denied = w.denied || resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden
	return resp, nil
}

// read answers what a failure says, asking again where the question left no room for an answer.
func (w *words) read(r *http.Request, resp *http.Response) string {
	if r.Method != http.MethodHead {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxWords))
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
		if err != nil {
			return ""
		}
		return spoken(body)
	}
	again := r.Clone(r.Context())
	again.Method = http.MethodGet
	full, err := w.inner.RoundTrip(again)
	if err != nil {
		return ""
	}
	defer func() { _ = full.Body.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(full.Body, maxWords))
	if err != nil || full.StatusCode < http.StatusBadRequest {
		return ""
	}
	return spoken(body)
}

// spoken reads the protocol's form of a failure.
func spoken(body []byte) string {
	var e struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(body, &e) != nil || len(e.Errors) == 0 {
		return ""
	}
	first := e.Errors[0]
	return strings.TrimSuffix(strings.ReplaceAll(strings.ToLower(first.Code), "_", " ")+": "+first.Message, ": ")
}

// heard is what was said last, and whether it was about credentials.
func (w *words) heard() (said string, denied bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.denied
}
