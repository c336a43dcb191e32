package etcd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/berth-ecs/berth/internal/reserve"
)

const (
	keepEvery  = 10 * time.Second
	markEvery  = 6               // times keepEvery: a minute
	keepMarks  = 5               // minutes of history
	keepAtMost = 50_000          // revisions: a burst of writes does not hold memory and disk for five minutes
	burstStep  = keepAtMost / 2  // revisions worth compacting between two minutes
	defragFrom = int64(64 << 20) // bytes of free pages, and at least half the file
	alarmBelow = 9               // tenths of the quota under which the NOSPACE alarm is lifted
)

// keeper is the housekeeping state of an embedded etcd.
type keeper struct {
	mu        sync.Mutex
	last      string
	calls     int
	marks     []int64 // revision at each of the last minutes, oldest first
	compacted int64   // revision compacted last
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

// target is the revision to compact at, given the one now; 0 for none. It is called every keepEvery.
func (k *keeper) target(now int64) int64 {
	minute := k.calls%markEvery == 0
	k.calls++
	at := now - keepAtMost
	if minute {
		k.marks = append(k.marks, now)
		if len(k.marks) > keepMarks+1 {
			k.marks = k.marks[1:]
		}
		if len(k.marks) > keepMarks {
			at = max(at, k.marks[0])
		}
	}
	if at <= k.compacted || !minute && at < k.compacted+burstStep {
		return 0
	}
	k.compacted = at
	return at
}

// everything is a target that keeps no history.
func (k *keeper) everything(now int64) int64 {
	if now <= k.compacted {
		return 0
	}
	k.compacted = now
	return now
}

// turnTime is how long a member's turn to defragment lasts. It answers nothing meanwhile, so members do it one after the other; they begin in the first half
// of their turn, and clocks that are some seconds apart do no harm.
const turnTime = time.Minute

// turn tells whether it is this member's.
func (b *embedded) turn(now time.Time) bool {
	var ids []types.ID
	for _, m := range b.server.Cluster().Members() {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return turnOf(slices.Index(ids, b.server.MemberID()), len(ids), now)
}

func turnOf(member, members int, now time.Time) bool {
	if members <= 1 {
		return true
	}
	since := now.Sub(time.Unix(0, 0))
	return int(since/turnTime)%members == member && since%turnTime < turnTime/2
}

// keep runs the housekeeping until ctx ends.
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

// tidy compacts history, gives free pages back, and lifts the NOSPACE alarm when there is room again. While there is no
// space, history is worth less than the next write: all of it goes.
func (b *embedded) tidy(ctx context.Context) error {
	full := b.noSpace()
	now := b.server.KV().Rev()
	at := b.keeper.target(now)
	if full {
		at = b.keeper.everything(now)
	}
	if at > 0 && b.leads() { // the others do as it does
		_, err := b.server.Compact(ctx, &pb.CompactionRequest{Revision: at, Physical: true})
		if err != nil && !errors.Is(err, mvcc.ErrCompacted) { // by the leader before this one
			return fmt.Errorf("compact at %d: %w", at, err)
		}
	}
	be := b.server.Backend()
	if free := be.Size() - be.SizeInUse(); (full || free >= defragFrom && free*2 >= be.Size()) && b.turn(b.conf.Now()) {
		if err := be.Defrag(); err != nil {
			return fmt.Errorf("defragment: %w", err)
		}
	}
	if full {
		return b.liftAlarm(ctx)
	}
	return b.reserve()
}

// reserved is how much more can be written when somebody has filled the disk. The log has room of its own: etcd makes its files
// ahead.
const reserved = 32 << 20

// reserve keeps room for what is written next; a defragmented file is a new one.
func (b *embedded) reserve() error {
	return reserve.File(filepath.Join(b.conf.DataDir, "member", "snap", "db"), b.server.Backend().Size()+reserved)
}

func (b *embedded) noSpace() bool {
	for _, a := range b.server.Alarms() {
		if a.Alarm == pb.AlarmType_NOSPACE {
			return true
		}
	}
	return false
}

func (b *embedded) liftAlarm(ctx context.Context) error {
	if b.server.Backend().Size() > b.conf.QuotaBytes/10*alarmBelow {
		return nil
	}
	for _, a := range b.server.Alarms() {
		if a.Alarm != pb.AlarmType_NOSPACE || a.MemberID != uint64(b.server.MemberID()) {
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
