package region

import (
	"context"
	"time"

	"github.com/berth-ecs/berth/internal/ready"
)

// An election takes a second or two; what lasts longer is said.
const (
	majorityEvery    = time.Second
	majorityPatience = 4 // times majorityEvery
)

// majorityPart names what the readiness page says of the servers together.
const majorityPart = "store"

const noMajority = "no majority of the servers can be reached, so nothing can be written: start the others, or look at the network between them (berth machines on a server that has one)"

// majority has the readiness page say while the servers that keep the store have no leader, until ctx ends.
func majority(ctx context.Context, led func() bool, state *ready.State) error {
	t := time.NewTicker(majorityEvery)
	defer t.Stop()
	for without := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		switch {
		case led() && without >= majorityPatience:
			state.Done(majorityPart)
			without = 0
		case led():
			without = 0
		default:
			if without++; without == majorityPatience {
				state.Wait(majorityPart, noMajority)
			}
		}
	}
}
