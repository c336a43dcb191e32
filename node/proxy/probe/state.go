package probe

import (
	"fmt"

	"github.com/berth-ecs/berth/proxyconf"
)

// Outcome is what a check found. Reason is "" when it passed.
type Outcome struct {
	Reason, Detail string
}

func passed() Outcome   { return Outcome{} }
func timedOut() Outcome { return Outcome{reasonTimeout, detailTimeout} }
func failed() Outcome   { return Outcome{reasonFailed, detailFailed} }
func code(got string) Outcome {
	return Outcome{reasonCodes, fmt.Sprintf(detailCodes, got)}
}

// state is a target's, by the outcomes so far.
type state struct {
	Health
	passes, fails int // in a row
}

func newState() state { return state{Health: Health{Initial, reasonInitial, detailInitial}} }

// next is the state after one more outcome.
func (s state) next(o Outcome, c proxyconf.Check) state {
	if o.Reason == "" {
		s.passes, s.fails = s.passes+1, 0
		if s.State == Initial || s.State == Unhealthy && s.passes >= max(c.Healthy, 1) {
			s.Health = Health{State: Healthy}
		}
		return s
	}
	s.passes, s.fails = 0, s.fails+1
	switch {
	case s.State == Unhealthy: // the reason is that of the last check
		s.Reason, s.Detail = o.Reason, o.Detail
	case s.fails >= max(c.Unhealthy, 1):
		s.Health = Health{Unhealthy, o.Reason, o.Detail}
	}
	return s
}
