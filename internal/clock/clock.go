// Package clock tells what time it is on this machine.
//
// Guarantees:
//
//   - What others see or store of this machine's time comes from here: records, signatures, certificates, tickets, reports. So a machine whose clock is
//     wrong can be played on one whose clock is right.
//   - Elapsed time does not: how long something took or may take is the same whatever the clock says.
package clock

import (
	"sync/atomic"
	"time"
)

// offset is how far the clock of this process is set off.
var offset atomic.Int64

// Set has Now differ from the kernel's clock. It is called once, before anything else.
func Set(d time.Duration) { offset.Store(int64(d)) }

// Now is the time.
func Now() time.Time { return time.Now().Add(time.Duration(offset.Load())) }

// Of is what this machine's clock shows at a time that a program of this machine read from the kernel.
func Of(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(time.Duration(offset.Load()))
}

// Kernel is the kernel's time when this machine's clock shows t.
func Kernel(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(-time.Duration(offset.Load()))
}
