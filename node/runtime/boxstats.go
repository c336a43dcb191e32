package runtime

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/berth-ecs/berth/node/runtime/cgroup"
	"github.com/berth-ecs/berth/node/runtime/sandbox"
)

// split is how what a task's sandbox used is divided among its containers.
type split struct {
	mu                      sync.Mutex // held from a reading to what is made of it
	cpu, user, system       sandbox.Split
	bytesRead, bytesWritten sandbox.Split
	reads, writes           sandbox.Split
}

// askTime bounds a question to a sandbox.
const askTime = 5 * time.Second

// usedInSandbox is a container's part of what its sandbox used. Processor time goes by what the sandbox counts of each one's processes, its own
// work with it. Of memory and of the disk it counts the whole only: each container has an equal part. So a task's sum is the sandbox's.
func (r *Runtime) usedInSandbox(ctx context.Context, id, path string) (cgroup.Stats, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	task := id[:32]
	s := r.splitOf(task)
	s.mu.Lock()
	defer s.mu.Unlock()
	told, err := r.sandboxes().Ask(ctx, task, id)
	if err != nil {
		return cgroup.Stats{}, err
	}
	whole, err := r.cg.Stats(path)
	if err != nil {
		return whole, err
	}
	delete(told.CPU, r.sandboxes().First(task)) // it does nothing
	if _, ok := told.CPU[id]; !ok {
		return whole, fmt.Errorf("its sandbox does not count it: %w", errdefs.ErrUnavailable)
	}
	return s.part(id, whole, told), nil
}

func (r *Runtime) splitOf(task string) *split {
	unlock := r.shims.Lock("split " + task)
	defer unlock()
	s, ok := r.splits.Get(task)
	if !ok {
		s = &split{}
		r.splits.Put(task, s)
	}
	return s
}

func (s *split) part(id string, whole cgroup.Stats, told sandbox.Told) cgroup.Stats {
	equal := make(map[string]uint64, len(told.CPU)) // nothing tells them apart
	for other := range told.CPU {
		equal[other] = 0
	}
	out, n := whole, uint64(len(told.CPU))
	out.CPUTotal = s.cpu.Next(whole.CPUTotal, told.CPU)[id]
	out.CPUUser = s.user.Next(whole.CPUUser, told.CPU)[id]
	out.CPUSystem = s.system.Next(whole.CPUSystem, told.CPU)[id]
	out.PerCPU = nil // of all of them
	out.ReadBytes, out.WriteBytes = s.bytesRead.Next(whole.ReadBytes, equal)[id], s.bytesWritten.Next(whole.WriteBytes, equal)[id]
	out.ReadOps, out.WriteOps = s.reads.Next(whole.ReadOps, equal)[id], s.writes.Next(whole.WriteOps, equal)[id]
	for _, m := range []*uint64{&out.Memory, &out.MemoryMax, &out.MemoryCache, &out.MemoryRSS, &out.MemorySwap, &out.MemoryInactiveFile} {
		*m /= n
	}
	out.Fields = make(map[string]uint64, len(whole.Fields))
	for name, v := range whole.Fields {
		if !strings.HasPrefix(name, "hierarchical_") { // those are limits
			v /= n
		}
		out.Fields[name] = v
	}
	out.Pids = told.Pids
	return out
}
