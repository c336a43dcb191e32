package usage

import "github.com/berth-ecs/berth/node/runtime"

// Share is what one of n containers that share a network is said to have sent and received: an equal part, as the ECS agent says, so that a
// task's sum is its interface's.
func Share(s runtime.Stats, n int) runtime.Stats {
	if n < 2 || s.Networks == nil {
		return s
	}
	by, out := uint64(n), make(map[string]runtime.NetworkStats, len(s.Networks))
	for name, c := range s.Networks {
		for _, count := range []*uint64{&c.RxBytes, &c.RxPackets, &c.RxErrors, &c.RxDropped, &c.TxBytes, &c.TxPackets, &c.TxErrors, &c.TxDropped} {
			*count /= by
		}
		out[name] = c
	}
	s.Networks = out
	return s
}
