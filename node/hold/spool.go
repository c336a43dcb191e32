package hold

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/hold/logfile"
)

// spoolRecord is the journal of version 1, which moved output to a spool file
// first. A chunk of it is in the log when Done has moved past From.
type spoolRecord struct {
	Writing    atomic.Uint64 // 0: nothing is under way; else the stream's index and 1
	SizeBefore atomic.Uint64 // of the log
	From       atomic.Uint64 // where the chunk begins in the spool
	Done       [2]atomic.Uint64
	_          [2]atomic.Uint64
}

const spoolChunk = 64 << 10

// settleSpools writes what a hold of version 1 took and did not come to write,
// and removes its spools.
func (o *output) settleSpools() error {
	for i, s := range o.streams {
		path := filepath.Join(o.dir, s.name+".spool")
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = errors.Join(o.settleSpool(i, f), f.Close())
		}
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			return err
		}
	}
	o.spooled = false
	return nil
}

func (o *output) settleSpool(i int, f *os.File) error {
	j := &o.journal.spoolRecord
	if w := j.Writing.Load(); w > 0 {
		if j.Done[w-1].Load() == j.From.Load() {
			if err := o.w.Truncate(int64(j.SizeBefore.Load())); err != nil {
				return err
			}
		}
		j.Writing.Store(0)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	from, buf := int64(j.Done[i].Load()), make([]byte, spoolChunk)
	if from > info.Size() { // killed after it was emptied
		from = 0
		j.Done[i].Store(0)
	}
	for from < info.Size() {
		n, err := f.ReadAt(buf[:min(spoolChunk, info.Size()-from)], from)
		if err != nil {
			return err
		}
		if err := o.writeSpooled(i, from, logfile.Append(nil, clock.Now(), o.streams[i].name, buf[:n])); err != nil {
			return err
		}
		from += int64(n)
		j.Done[i].Store(uint64(from))
		j.Writing.Store(0)
	}
	return nil
}

// writeSpooled appends a chunk, or nothing of it.
func (o *output) writeSpooled(i int, from int64, chunk []byte) error {
	if err := o.w.MakeRoom(len(chunk)); err != nil {
		return err
	}
	j, before := &o.journal.spoolRecord, o.w.Size()
	j.From.Store(uint64(from))
	j.SizeBefore.Store(uint64(before))
	j.Writing.Store(uint64(i) + 1)
	if _, err := o.w.Write(chunk); err != nil {
		if terr := o.w.Truncate(before); terr != nil {
			return errors.Join(err, terr)
		}
		j.Writing.Store(0)
		return err
	}
	return nil
}
