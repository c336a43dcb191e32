package region

import (
	"context"
	"strings"
	"time"

	"github.com/berth-ecs/berth/internal/ready"
	"github.com/berth-ecs/berth/store"
)

// An election takes a second or two; what lasts longer is said.
const (
	majorityEvery    = time.Second
	majorityPatience = 4 // times majorityEvery
)

// majorityPart names what the readiness page says of the servers together.
const majorityPart = "store"

const noMajority = "no majority of the servers can be reached, so nothing can be written: start the others, or look at the network between them (berth machines on a server that has one)"

// watch tells whether the store takes writes, and what the readiness page says while it does not.
type watch struct {
	led     func(context.Context) bool
	without string
}

// watchful is how this server's store is watched.
func watchful(r rooms) watch {
	s := r.membership.settings
	if !s.SharesEtcd() {
		return watch{func(context.Context) bool { return r.keepers.Led() }, noMajority}
	}
	answers := func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, majorityEvery)
		defer cancel()
		return r.keepers.View(ctx, store.Fresh, func(store.Tx) error { return nil }) == nil
	}
	return watch{answers, "the etcd at " + strings.Join(s.Etcd, ", ") + " does not answer, or most of its members are gone, so nothing can be written: etcdctl endpoint status says more"}
}

// run has the readiness page say while the store takes no writes, until ctx ends.
func (w watch) run(ctx context.Context, state *ready.State) error {
	t := time.NewTicker(majorityEvery)
	defer t.Stop()
	for without := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		switch led := w.led(ctx); {
		case led && without >= majorityPatience:
			state.Done(majorityPart)
			without = 0
		case led:
			without = 0
		default:
			if without++; without == majorityPatience {
				state.Wait(majorityPart, w.without)
			}
		}
	}
}
