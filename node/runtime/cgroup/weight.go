package cgroup

import (
	"path/filepath"
	"strconv"
)

// Weights, of one process on each processor. Tasks together weigh no more than that: the kernel's own threads, which write to the disk and
// answer the network for everybody, have it too, and wait in proportion to what outweighs them. What starts and answers sleeps
// mostly, and outweighs them all; what carries output works as long as a task prints, and does not.
const (
	WeightTasks = 1
	WeightOwn   = 8
	WeightHold  = 1
)

// What a weight of 1 is to the kernel, and the most that it takes.
const (
	oneShares, mostShares = 1024, 1 << 18
	oneWeight, mostWeight = 100, 10_000
)

// shares1 of a cgroup that weighs as much as so many processes on each of cpus processors: version 1 has processes beside cgroups,
// and a cgroup's shares are for all processors together.
func shares1(weight, cpus int) int { return min(oneShares*weight*max(cpus, 1), mostShares) }

// weight2 is the same on version 2, where beside a cgroup there are cgroups only.
func weight2(weight int) int { return min(oneWeight*weight, mostWeight) }

// shares are the weights of a task's cgroup by its CPU units: proportional, and in the kernel's range.
func shares(units uint64) (one, two uint64) {
	return min(max(units, 2), mostShares), min(max(units*oneWeight/oneShares, 1), mostWeight)
}

// Tasks gives everything below path its weight: what the tasks of a machine are beside the rest of it. The kernel's for a new cgroup is
// that of one process on one processor.
func (h *Hierarchy) Tasks(path string, cpus int) error {
	if h.unified {
		if err := h.make2(path, Limits{}); err != nil {
			return err
		}
	} else if err := h.make1(path, Limits{}); err != nil {
		return err
	}
	return h.weigh(path, WeightTasks, cpus)
}

func (h *Hierarchy) weigh(path string, weight, cpus int) error {
	if h.unified {
		return h.write(filepath.Join(path, "cpu.weight"), setting{value: strconv.Itoa(weight2(weight)), optional: true})
	}
	return h.write(filepath.Join("cpu", path, "cpu.shares"), setting{value: strconv.Itoa(shares1(weight, cpus))})
}
