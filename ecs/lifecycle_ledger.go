package ecs

import "slices"

// Release gives back what a task holds of its node's ledger. The caller does it
// once, in the transaction that makes the task STOPPED.
func (l *Ledger) Release(held Amounts) *Ledger {
	next := *l
	next.Used = Amounts{
		CPU:       max(0, l.Used.CPU-held.CPU),
		MemoryMiB: max(0, l.Used.MemoryMiB-held.MemoryMiB),
		TCP:       without(l.Used.TCP, held.TCP),
		UDP:       without(l.Used.UDP, held.UDP),
		Tasks:     max(0, l.Used.Tasks-held.Tasks),
	}
	return &next
}

// without removes each of the ports once.
func without(ports, gone []int) []int {
	rest := slices.Clone(ports)
	for _, p := range gone {
		if i := slices.Index(rest, p); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		}
	}
	return rest
}
