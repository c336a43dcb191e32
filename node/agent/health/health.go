// Package health decides what the runs of a container's health check say of it.
//
// What is guaranteed: it is pure, time is an input; the status changes by the rules of Docker's health checks, as the ECS agent reports them.
package health

import (
	"fmt"
	"time"

	"github.com/berth-ecs/berth/node/agent/plan"
)

// The states of a container's health.
const (
	Unknown   = "UNKNOWN"
	Healthy   = "HEALTHY"
	Unhealthy = "UNHEALTHY"
)

// State is what a container's health check found. The zero value is UNKNOWN.
type State struct {
	Status   string
	Since    time.Time
	ExitCode int
	Output   string

	streak  int // failures in a row that count
	last    time.Time
	probing bool
}

// Result is one run of a health check.
type Result struct {
	ExitCode int
	Output   string
	Err      error
	At       time.Time
}

// Due answers when the check is to run next: an interval after the start, then an interval after each run.
func (h *State) Due(c *plan.HealthCheck, started time.Time) time.Time {
	if h.last.After(started) {
		return h.last.Add(c.Interval)
	}
	return started.Add(c.Interval)
}

// Probing says whether a run is under way.
func (h *State) Probing() bool { return h.probing }

// Begin notes that a run is under way.
func (h *State) Begin() { h.probing = true }

// Forgo notes that a run which ended at the time says nothing about the container.
func (h *State) Forgo(at time.Time) { h.last, h.probing = at, false }

// maxOutput is what is kept of a health check's output, as Docker keeps it.
const maxOutput = 4096

// After is the health after one more run. A failure within the start period does not count unless a run succeeded
// before. It answers whether the status changed.
func (h State) After(c *plan.HealthCheck, started time.Time, r Result) (State, bool) {
	was := h.Status
	h.last, h.probing = r.At, false
	h.ExitCode, h.Output = r.ExitCode, r.Output
	if r.Err != nil {
		h.ExitCode, h.Output = -1, r.Err.Error()
	}
	if len(h.Output) > maxOutput {
		h.Output = h.Output[:maxOutput]
	}
	switch {
	case r.Err == nil && r.ExitCode == 0:
		h.Status, h.streak = Healthy, 0
	case h.Status != Healthy && h.Status != Unhealthy && r.At.Before(started.Add(c.StartPeriod)):
	default:
		if h.streak++; h.streak >= c.Retries {
			h.Status = Unhealthy
		}
	}
	if h.Status != was {
		h.Since = r.At
	}
	return h, h.Status != was
}

// ErrTimeout is Docker's sentence of a run that took too long.
func ErrTimeout(d time.Duration) error { return fmt.Errorf("Health check exceeded timeout (%v)", d) } //nolint:staticcheck // it is shown as it is
