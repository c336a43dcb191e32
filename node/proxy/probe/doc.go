// Package probe looks at targets as Elastic Load Balancing does: with its timing, its matchers, its reasons.
//
// Guarantees:
//
//   - A new target is healthy after the first check that passes, and unhealthy after as many failed ones in a row as the group says; from then on it changes after as many in
//     a row as the group says.
//   - Checks of a target are an interval apart, whatever one takes; those of many targets do not come at once.
//   - What a target answers is bounded, and never more than looked at: no redirect is followed, no certificate is verified (as on AWS).
//   - How a target was stays with it while it is looked at in another way.
package probe

import "net/netip"

// Key names a target as a part sees it.
type Key struct {
	Part, Endpoints string
	Addr            netip.AddrPort
}

// Health is how a target is. State is initial, healthy or unhealthy.
type Health struct {
	State, Reason, Detail string
}

// The states.
const (
	Initial   = "initial"
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// AWS's reasons, and what it says with them.
const (
	reasonInitial = "Elb.InitialHealthChecking"
	detailInitial = "Initial health checks in progress"
	reasonCodes   = "Target.ResponseCodeMismatch"
	detailCodes   = "Health checks failed with these codes: [%s]"
	reasonTimeout = "Target.Timeout"
	detailTimeout = "Request timed out"
	reasonFailed  = "Target.FailedHealthChecks"
	detailFailed  = "Health checks failed"
)
