package ready

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
)

// State is what a process waits for. The zero value is ready to use.
type State struct {
	mu      sync.Mutex
	parts   []string // in the order they were announced
	waiting map[string]string
	changed chan struct{} // closed when a part is done; nil: nobody waits
}

// Report is the body of the readiness page.
type Report struct {
	Ready   bool              `json:"ready"`
	Waiting map[string]string `json:"waiting,omitzero"` // part -> what it is doing
	Parts   []string          `json:"parts"`
}

// Wait says that part is not done, and what it is doing.
func (s *State) Wait(part, doing string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = map[string]string{}
	}
	if !slices.Contains(s.parts, part) {
		s.parts = append(s.parts, part)
	}
	s.waiting[part] = doing
}

// Done says that part is ready. It may Wait again later.
func (s *State) Done(part string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.parts, part) {
		s.parts = append(s.parts, part)
	}
	delete(s.waiting, part)
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// Await returns when the process is ready, or the error that ctx ended with.
func (s *State) Await(ctx context.Context) error {
	for {
		s.mu.Lock()
		if len(s.parts) > 0 && len(s.waiting) == 0 {
			s.mu.Unlock()
			return nil
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Report returns a copy of the present state.
func (s *State) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Report{Ready: len(s.parts) > 0 && len(s.waiting) == 0, Parts: slices.Clone(s.parts)}
	for part, doing := range s.waiting {
		if r.Waiting == nil {
			r.Waiting = map[string]string{}
		}
		r.Waiting[part] = doing
	}
	return r
}

// Health answers that the process lives.
func (s *State) Health(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]string{"status": "ok"})
}

// Ready answers the report: 200 when ready, else 503.
func (s *State) Ready(w http.ResponseWriter, _ *http.Request) {
	r := s.Report()
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	write(w, status, r)
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
