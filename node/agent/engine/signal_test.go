package engine

import (
	"testing"
	"time"
)

// A container that is told late, because containerd was away, has its stopTimeout all the same.
func TestStopTimeoutBeginsWithTheSignal(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{signalling: 40 * time.Second, stopping: 10 * time.Second}
		r.run().accept(payload(nil, "app"))
		r.accept(stopPayload())
		r.pass(time.Minute)
		r.want("RUNNING app=RUNNING", "STOPPED app=STOPPED,0")
	})
}
