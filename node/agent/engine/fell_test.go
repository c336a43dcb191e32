package engine

import (
	"testing"
	"time"
)

// The server hears at once of the container whose end is the task's, however long the others take.
func TestEssentialExitIsReportedAtOnce(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: time.Minute, exit: 7}
		r.w.behaviour["side"] = behaviour{stubborn: true}
		r.run().accept(payload(nil, "app", "side"))
		r.report()
		r.pass(time.Minute + time.Second)
		r.want("RUNNING app=RUNNING side=RUNNING", "RUNNING app=STOPPED,7")
		r.pass(time.Minute)
		r.want("RUNNING app=RUNNING side=RUNNING", "RUNNING app=STOPPED,7", "STOPPED side=STOPPED,137")
		r.empty()
	})
}

// Who asked the task to stop is told of its end only.
func TestAStopIsReportedOnce(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["side"] = behaviour{stubborn: true}
		r.run().accept(payload(nil, "app", "side"))
		r.report()
		r.accept(stopPayload())
		r.pass(time.Second)
		r.want("RUNNING app=RUNNING side=RUNNING")
		r.pass(time.Minute)
		r.want("RUNNING app=RUNNING side=RUNNING", "STOPPED app=STOPPED,0 side=STOPPED,137")
	})
}

// The only container of a service's task ended: its service hears of it before it is put away, and of the end after.
func TestAServicesOnlyContainerIsReportedAtOnce(t *testing.T) {
	in(t, func(r *rig) {
		r.w.behaviour["app"] = behaviour{runs: time.Minute, exit: 7, deleting: time.Second}
		p := payload(nil, "app")
		p.ServiceName = "web"
		r.run().accept(p)
		r.report()
		r.pass(time.Minute + 100*time.Millisecond)
		r.want("RUNNING app=RUNNING", "RUNNING app=STOPPED,7")
		r.pass(time.Minute)
		r.want("RUNNING app=RUNNING", "RUNNING app=STOPPED,7", "STOPPED")
		r.empty()
	})
}
