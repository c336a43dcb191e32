package etcd

import (
	"context"
	"fmt"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

const (
	keepEvery   = time.Minute
	keepHistory = 5               // times keepEvery
	keepAtMost  = 200_000         // revisions: a burst of writes does not hold memory for five minutes
	defragFrom  = int64(64 << 20) // bytes of free pages, and at least half the file
)

// keeper is the housekeeping state of an embedded etcd.
type keeper struct {
	mu       sync.Mutex
	last     string
	marks    []int64 // revision at each of the last minutes, oldest first
	compacts int64   // revision compacted last
}

func (k *keeper) problem() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last
}

func (k *keeper) report(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = ""
	if err != nil {
		k.last = err.Error()
	}
}

// target is the revision to compact at, given the one now; 0 for none. Pure but for the marks it keeps.
func (k *keeper) target(now int64) int64 {
	k.marks = append(k.marks, now)
	if len(k.marks) > keepHistory+1 {
		k.marks = k.marks[1:]
	}
	at := now - keepAtMost
	if len(k.marks) > keepHistory {
		at = max(at, k.marks[0])
	}
	if at <= k.compacts {
		return 0
	}
	k.compacts = at
	return at
}

// keep runs the housekeeping every minute until ctx ends.
func (b *embedded) keep(ctx context.Context) {
	t := time.NewTicker(keepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			err := b.tidy(ctx)
			b.keeper.report(err)
			if err != nil && ctx.Err() == nil {
				b.conf.Log.Warn("etcd housekeeping failed", "error", err)
			}
		}
	}
}

// tidy compacts history, gives free pages back, and lifts the NOSPACE alarm when there is room again.
func (b *embedded) tidy(ctx context.Context) error {
	if at := b.keeper.target(b.server.KV().Rev()); at > 0 {
		if _, err := b.server.Compact(ctx, &pb.CompactionRequest{Revision: at, Physical: true}); err != nil {
			return fmt.Errorf("compact at %d: %w", at, err)
		}
	}
	be := b.server.Backend()
	if free := be.Size() - be.SizeInUse(); free >= defragFrom && free*2 >= be.Size() {
		if err := be.Defrag(); err != nil {
			return fmt.Errorf("defragment: %w", err)
		}
	}
	return b.liftAlarm(ctx)
}

func (b *embedded) liftAlarm(ctx context.Context) error {
	if b.server.Backend().Size() > b.conf.QuotaBytes/10*9 {
		return nil
	}
	for _, a := range b.server.Alarms() {
		if a.Alarm != pb.AlarmType_NOSPACE {
			continue
		}
		off := &pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE, MemberID: a.MemberID, Alarm: a.Alarm}
		if _, err := b.server.Alarm(ctx, off); err != nil {
			return fmt.Errorf("lift NOSPACE alarm: %w", err)
		}
		b.conf.Log.Info("etcd has room again: NOSPACE alarm lifted")
	}
	return nil
}
