package rollout_test

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/rollout"
)

// A clock that was set, by an hour or a year, holds no service up: neither tasks that seem to have started in the future, nor
// delays that were written down before.
func TestClockThatWasSet(t *testing.T) {
	for _, jump := range []time.Duration{-365 * 24 * time.Hour, -time.Hour, time.Hour, 365 * 24 * time.Hour} {
		w := &world{svc: service(2, 100, 200), now: epoch}
		settle := func(what string) {
			t.Helper()
			for end := w.now.Add(20 * time.Minute); ; {
				in := w.input()
				in.HealthyAfter = 10 * time.Second
				plan := rollout.Plan(in)
				w.status = plan.Status
				for _, s := range plan.Starts {
					for range s.Count {
						w.add(s.Deployment.ID)
						w.start(&w.tasks[len(w.tasks)-1])
					}
				}
				d := w.status.Deployments
				if len(d) == 1 && d[0].RolloutState == "COMPLETED" && w.healthy(false) == 2 {
					return
				}
				if w.now = w.now.Add(max(plan.After, time.Second)); w.now.After(end) {
					t.Fatalf("%v, %s: %d healthy, deployments %+v", jump, what, w.healthy(false), d)
				}
			}
		}
		settle("before")
		w.now = w.now.Add(jump)
		settle("after the clock was set")
		// All fail a while, and then the clock is set: the delay that was written down is not the service's end.
		for i := range w.tasks {
			w.end(&w.tasks[i])
		}
		in := w.input()
		w.status = rollout.Plan(in).Status
		w.status.Deployments[0].NextStartAt = w.now.Add(15 * time.Minute)
		w.now = w.now.Add(jump)
		settle("with a delay written down")
	}
}

// What was said is said again, also when it was said in the future.
func TestClockThatWasSetBackRepeats(t *testing.T) {
	status, refusal := statusOf(), &place.Refusal{Closest: "i", Reason: place.CPU}
	if rollout.Placed(status, refusal, epoch) == "" {
		t.Error("not said at first")
	}
	if rollout.Placed(status, refusal, epoch.Add(-time.Hour)) != "" {
		t.Error("said again though the clock was set back by an hour only")
	}
	if rollout.Placed(status, refusal, epoch.Add(-365*24*time.Hour)) == "" {
		t.Error("not said for a year")
	}
}
