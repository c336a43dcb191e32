package agent

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/metadata"
)

// clockDrift is what the kernel knows of the machine's clock; nil when it does not say.
func clockDrift(now time.Time) *metadata.ClockDrift {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return nil
	}
	out := &metadata.ClockDrift{ReferenceTimestamp: &now, ClockSynchronizationStatus: "SYNCHRONIZED"}
	out.ClockErrorBound = float64(t.Maxerror) / 1000 // microseconds; the answer has milliseconds
	if t.Status&unix.STA_UNSYNC != 0 {
		out.ClockSynchronizationStatus = "NOT_SYNCHRONIZED"
	}
	return out
}
