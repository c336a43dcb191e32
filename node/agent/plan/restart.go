package plan

import (
	"errors"
	"slices"
	"time"

	"github.com/berth-ecs/berth/session"
)

// Restart is a container's restart policy.
type Restart struct {
	IgnoredExitCodes []int
	Period           time.Duration // what the container must have run for before it is started again
}

// defaultRestartPeriod is ECS's restartAttemptPeriod, in seconds. Its bounds are the server's to know.
const defaultRestartPeriod = 300

// Again says whether a container that ended with code after it had run for up is started again. Whether its task stops is
// not known here.
func (r *Restart) Again(code int, up time.Duration) bool {
	return r != nil && code >= 0 && !slices.Contains(r.IgnoredExitCodes, code) && up >= r.Period
}

func restart(p *session.RestartPolicy) (*Restart, error) {
	if p == nil || !p.Enabled {
		return nil, nil
	}
	seconds := p.RestartAttemptPeriod
	if seconds == 0 {
		seconds = defaultRestartPeriod
	}
	if seconds < 0 {
		return nil, errors.New("restartPolicy.restartAttemptPeriod: must not be negative")
	}
	return &Restart{IgnoredExitCodes: slices.Clone(p.IgnoredExitCodes), Period: time.Duration(seconds) * time.Second}, nil
}
