package agent

import (
	"context"

	"github.com/berth-ecs/berth/node/agent/usage"
	"github.com/berth-ecs/berth/node/runtime"
)

// counters are the runtime's, with a task's interface divided among the containers that share it.
type counters struct{ *Agent }

var _ usage.Reader = counters{}

// Stats implements usage.Reader.
func (c counters) Stats(ctx context.Context, id string) (runtime.Stats, error) {
	s, err := c.cfg.Runtime.Stats(ctx, id)
	if t, _, ok := c.engine.Lookup(id); ok && t.Plan.Interface != nil {
		s = usage.Share(s, len(t.Containers))
	}
	return s, err
}
