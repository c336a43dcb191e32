package health

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/node/agent/plan"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func TestHealth(t *testing.T) {
	check := &plan.HealthCheck{Interval: 10 * time.Second, StartPeriod: 25 * time.Second, Retries: 2}
	ok, bad := Result{}, Result{ExitCode: 1}
	for _, c := range []struct {
		name string
		runs []Result // ten seconds apart
		want string
	}{
		{"no run", nil, ""},
		{"success", []Result{ok}, Healthy},
		{"failures in the start period do not count", []Result{bad, bad}, ""},
		{"failures after it do", []Result{bad, bad, bad, bad}, Unhealthy},
		{"one failure is not enough", []Result{bad, bad, bad}, ""},
		{"a success ends the start period", []Result{ok, bad, bad}, Unhealthy},
		{"one failure keeps it healthy", []Result{ok, bad}, Healthy},
		{"a success counts anew", []Result{ok, bad, ok, bad}, Healthy},
		{"recovers", []Result{ok, bad, bad, ok}, Healthy},
		{"an error is a failure", []Result{ok, {Err: errors.New("x")}, {Err: errors.New("x")}}, Unhealthy},
	} {
		var h State
		for i, r := range c.runs {
			r.At = noon.Add(time.Duration(i+1) * 10 * time.Second)
			was := h.Status
			var changed bool
			h, changed = h.After(check, noon, r)
			if changed != (h.Status != was) || changed && !h.Since.Equal(r.At) {
				t.Errorf("%s: run %d: changed %t, %q -> %q since %v", c.name, i, changed, was, h.Status, h.Since)
			}
		}
		if h.Status != c.want {
			t.Errorf("%s: %q, want %q", c.name, h.Status, c.want)
		}
	}
}

func TestHealthIsDue(t *testing.T) {
	check := &plan.HealthCheck{Interval: 10 * time.Second}
	h := State{}
	if got := h.Due(check, noon); !got.Equal(noon.Add(10 * time.Second)) {
		t.Errorf("first run at %v", got)
	}
	h.last = noon.Add(13 * time.Second)
	if got := h.Due(check, noon); !got.Equal(noon.Add(23 * time.Second)) {
		t.Errorf("next run at %v", got)
	}
}

// A container is never unhealthy before as many failures in a row as retries say.
func TestUnhealthyNeedsRetries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		check := &plan.HealthCheck{Retries: rapid.IntRange(1, 5).Draw(t, "retries")}
		var h State
		row := 0
		for i, good := range rapid.SliceOf(rapid.Bool()).Draw(t, "runs") {
			r := Result{At: noon.Add(time.Duration(i) * time.Second), ExitCode: 1}
			row++
			if good {
				r.ExitCode, row = 0, 0
			}
			h, _ = h.After(check, noon, r)
			if want := row >= check.Retries; (h.Status == Unhealthy) != want {
				t.Fatalf("after %d failures in a row: %s", row, h.Status)
			}
		}
	})
}
