package runtime

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/runtime/cgroup"
)

// Stats is what a container uses now.
type Stats struct {
	At       time.Time
	Cgroup   cgroup.Stats
	Networks map[string]NetworkStats // by interface, of the container's network namespace
}

// NetworkStats counts one interface.
type NetworkStats struct {
	RxBytes, RxPackets, RxErrors, RxDropped uint64
	TxBytes, TxPackets, TxErrors, TxDropped uint64
}

// Stats reads the container's cgroup and network namespace from the kernel;
// containerd is not asked. The kernel sees a sandbox as a whole: what of it is
// the container's, the sandbox tells, as far as it can.
func (r *Runtime) Stats(ctx context.Context, id string) (Stats, error) {
	if !containerIDRule.MatchString(id) {
		return Stats{}, named(CannotInspectContainerError, notFound(id))
	}
	path := r.seat(id)
	used, err := r.used(ctx, id, path)
	if err != nil {
		return Stats{}, named(CannotInspectContainerError, fmt.Errorf("container %q: %w", id, err))
	}
	s := Stats{At: clock.Now(), Cgroup: used}
	if r.sandboxed(id[:32]) {
		text, err := r.sandboxes().Counters(id[:32])
		if err == nil { // else its interface is just going
			s.Networks = parseNetDev(text)
		}
		return s, nil
	}
	pids, err := r.cg.Processes(path)
	if err != nil || len(pids) == 0 {
		return s, named(CannotInspectContainerError, err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pids[0]))
	if err == nil { // else it has just ended
		s.Networks = parseNetDev(text)
	}
	return s, nil
}

// used is what a container used.
func (r *Runtime) used(ctx context.Context, id, path string) (cgroup.Stats, error) {
	if r.sandboxed(id[:32]) {
		return r.usedInSandbox(ctx, id, path)
	}
	return r.cg.Stats(path)
}

// parseNetDev reads /proc/PID/net/dev.
func parseNetDev(text []byte) map[string]NetworkStats {
	out := map[string]NetworkStats{}
	for line := range bytes.Lines(text) {
		name, rest, ok := strings.Cut(string(line), ":")
		f := strings.Fields(rest)
		if !ok || len(f) < 12 {
			continue
		}
		var n [12]uint64
		for i := range n {
			n[i], _ = strconv.ParseUint(f[i], 10, 64) // the kernel writes numbers
		}
		out[strings.TrimSpace(name)] = NetworkStats{
			RxBytes: n[0], RxPackets: n[1], RxErrors: n[2], RxDropped: n[3],
			TxBytes: n[8], TxPackets: n[9], TxErrors: n[10], TxDropped: n[11],
		}
	}
	return out
}
