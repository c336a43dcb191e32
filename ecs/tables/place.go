package tables

import (
	"iter"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
)

// Nodes yields each node of each home that has, or had, a container instance; maybe more than once.
func Nodes(tx store.Tx) iter.Seq2[ecs.Home, string] {
	return func(yield func(ecs.Home, string) bool) {
		for _, i := range Instances.List(tx, "", "") {
			if !yield(i.Home, i.Node) {
				return
			}
		}
	}
}

// NodeAddress is where a node says that it is on the network of the machines, "" when it does not. Of several container instances the one
// that is not INACTIVE tells, and of those the last. It compares nothing.
func NodeAddress(tx store.Tx, h ecs.Home, node string) string {
	var best *ecs.Instance
	live := false
	for key, i := range InstancesByNode.List(tx, LedgerKey(h.Region, node), "") {
		if i.Home != h {
			continue
		}
		s, ok := InstanceStates.Peek(tx, key)
		is := ok && s.Status != ecs.InstanceInactive
		if best == nil || is && !live || is == live && i.RegisteredAt.After(best.RegisteredAt) {
			best, live = i, is
		}
	}
	if best == nil {
		return ""
	}
	return addressOf(best)
}

// IsNode says whether some container instance of a home is a node. It compares nothing.
func IsNode(tx store.Tx, h ecs.Home, node string) bool {
	for _, i := range InstancesByNode.List(tx, LedgerKey(h.Region, node), "") {
		if i.Home == h {
			return true
		}
	}
	return false
}
