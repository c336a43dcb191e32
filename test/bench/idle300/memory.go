package main

import (
	"context"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/test/bench/resident"
)

// memory is anonymous resident memory in MB, by program.
type memory map[string]float64

// memory reads it after nothing happened for a while.
func (b *bench) memory(ctx context.Context, settle time.Duration) (memory, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(settle):
	}
	return resident.Of(b.Installation), nil
}

// report prints the growth a task.
func (m memory) report(after memory, tasks int) {
	fmt.Printf("%-12s %14s %14s %12s\n", "RssAnon", "one task, MB", "all, MB", "MB a task")
	for _, what := range []string{resident.Node, resident.Hold, resident.Server, resident.Containerd, resident.Shims} {
		fmt.Printf("%-12s %14.1f %14.1f %12.3f\n", what, m[what], after[what], (after[what]-m[what])/float64(tasks))
	}
	own := (after[resident.Node] + after[resident.Hold] - m[resident.Node] - m[resident.Hold]) / float64(tasks)
	peer := (after[resident.Containerd] + after[resident.Shims] - m[resident.Containerd] - m[resident.Shims]) / float64(tasks)
	fmt.Printf("berth's node adds %.3f MB a task, containerd and its shims %.2f MB; target at most %g MB: %s\n\n", own, peer, perTaskMB, verdict(own <= perTaskMB))
}
