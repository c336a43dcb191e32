package engine

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

// Health is what a container's health check found. The zero value is UNKNOWN.
type Health struct {
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

// due answers when the check is to run next: an interval after the start, then an interval after each run.
func (h *Health) due(c *plan.HealthCheck, started time.Time) time.Time {
	if h.last.After(started) {
		return h.last.Add(c.Interval)
	}
	return started.Add(c.Interval)
}

// maxOutput is what is kept of a health check's output, as Docker keeps it.
const maxOutput = 4096

// after is the health after one more run. A failure within the start period does not count unless a run succeeded
// before. It answers whether the status changed.
func (h Health) after(c *plan.HealthCheck, started time.Time, r Result) (Health, bool) {
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

// errTimeout is Docker's sentence.
func errTimeout(d time.Duration) error { return fmt.Errorf("Health check exceeded timeout (%v)", d) }
