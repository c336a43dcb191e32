package hold

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/hold/logfile"
)

// output is one container's streams, or a shim's log, on their way to a file.
type output struct {
	dir     string
	meta    meta
	log     *slog.Logger
	streams []stream
	readers sync.WaitGroup

	mu      sync.Mutex // one chunk at a time is under way
	journal *journal
	in, out []byte // a chunk and its records
	w       *logfile.Writer
	failing bool // the last write failed; said once
}

type stream struct {
	name  string
	f     *fifo
	spool *spool
}

// meta is what the directory of an output says, for who adopts it.
type meta struct {
	Task    string   `json:"task"`
	Name    string   `json:"name"`
	Streams []string `json:"streams"`
}

const metaFile = "meta.json"

// write puts m into dir. It is whole or not there, whenever this process is killed: who adopts the output needs it.
func (m meta) write(dir string) error {
	defer failpoint.Around(failpoint.HoldMeta)()
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, metaFile)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// openOutput makes the output in dir, or adopts the one that is there.
func openOutput(dir string, m meta, c Config, limits logfile.Limits) (_ *output, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := m.write(dir); err != nil {
		return nil, err
	}
	o := &output{dir: dir, meta: m, log: c.Log.With("output", filepath.Base(dir))}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.release())
		}
	}()
	if o.journal, err = openJournal(filepath.Join(dir, "journal")); err != nil {
		return nil, err
	}
	if o.w, err = logfile.OpenWriter(logfile.Path(c.LogDir(), m.Task, m.Name), limits); err != nil {
		return nil, err
	}
	for _, name := range m.Streams {
		f, err := openFIFO(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		o.streams = append(o.streams, stream{name: name, f: f})
		if o.streams[len(o.streams)-1].spool, err = openSpool(filepath.Join(dir, name+".spool")); err != nil {
			return nil, err
		}
	}
	if err := o.recover(); err != nil {
		return nil, err
	}
	for i := range o.streams {
		o.readers.Go(func() { o.read(i) })
	}
	return o, nil
}

// recover takes from the file the part of a chunk that a killed process had
// written, and writes what it had taken from the FIFOs. What cannot be written now
// stays in its spool for the reader to try again, as after any other failure.
func (o *output) recover() error {
	if w := o.journal.Writing.Load(); w > 0 {
		if o.journal.Done[w-1].Load() == o.journal.From.Load() {
			if err := o.w.Truncate(int64(o.journal.SizeBefore.Load())); err != nil {
				return err
			}
		}
		o.journal.Writing.Store(0)
	}
	for i, s := range o.streams {
		if int64(o.journal.Done[i].Load()) > s.spool.size { // killed after it was emptied
			o.journal.Done[i].Store(0)
		}
		if err := o.settle(i); err != nil {
			o.failing = true
			o.log.Error("output cannot be written; the container will wait", "error", err)
		}
	}
	return nil
}

const retryWrite = time.Second

// maxKept is the room for records that an output keeps between chunks.
const maxKept = 4 * chunkSize

// read moves a stream's input until its end.
func (o *output) read(i int) {
	s := o.streams[i]
	for {
		if err := s.f.ready(); err != nil {
			return // closed
		}
		end, err := o.move(i)
		if end {
			return
		}
		if err != nil {
			// The input stays where it is and the container waits; a full disk
			// may have room again.
			o.complain(err)
			t := time.NewTimer(retryWrite)
			<-t.C
		}
	}
}

func (o *output) complain(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if errors.Is(err, fs.ErrClosed) || o.failing {
		return
	}
	o.failing = true
	o.log.Error("output cannot be written; the container will wait", "error", err)
}

// move takes one chunk from the FIFO and puts it into the file.
func (o *output) move(i int) (end bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.w == nil {
		return true, nil
	}
	// First what an earlier failure left: the spool must not grow.
	if err := o.settle(i); err != nil {
		return false, err
	}
	s := o.streams[i]
	if _, end, err = s.spool.take(s.f); err != nil || end {
		return end, err
	}
	return false, o.settle(i)
}

// settle writes what the spool holds. The journal says how far that got,
// whenever the process is killed.
func (o *output) settle(i int) error {
	s := o.streams[i]
	if o.in == nil {
		o.in = make([]byte, chunkSize)
	}
	for {
		from := int64(o.journal.Done[i].Load())
		if from == s.spool.size {
			break
		}
		n, err := s.spool.f.ReadAt(o.in[:min(chunkSize, s.spool.size-from)], from)
		if err != nil {
			return err
		}
		var partial bool
		o.out, partial = logfile.Append(o.out[:0], time.Now(), s.name, o.in[:n])
		o.journal.From.Store(uint64(from))
		if err := o.write(i, o.out); err != nil {
			return err
		}
		failpoint.Hit(failpoint.HoldWritten)
		o.journal.Partial[i].Store(bit(partial))
		o.journal.Done[i].Store(uint64(from) + uint64(n))
		o.journal.Writing.Store(0)
		o.failing = false
	}
	if cap(o.out) > maxKept { // records of very short lines are many times as long as the lines
		o.out = nil
	}
	if s.spool.size < spoolSize {
		return nil
	}
	if err := s.spool.empty(); err != nil {
		return err
	}
	o.journal.Done[i].Store(0)
	return nil
}

// write appends records, or nothing of them.
func (o *output) write(i int, records []byte) error {
	if err := o.w.MakeRoom(len(records)); err != nil {
		return err
	}
	before := o.w.Size()
	o.journal.SizeBefore.Store(uint64(before))
	o.journal.Writing.Store(uint64(i) + 1)
	failpoint.Hit(failpoint.HoldWriting)
	if _, err := o.w.Write(records); err != nil {
		if terr := o.w.Truncate(before); terr != nil {
			return errors.Join(err, terr)
		}
		o.journal.Writing.Store(0)
		return err
	}
	return nil
}

// finish waits for the end of the output, at most for wait, puts everything on
// disk and removes the FIFOs.
func (o *output) finish(wait time.Duration) error {
	defer failpoint.Around(failpoint.HoldFinish)()
	for _, s := range o.streams {
		s.f.w.Close() // our own writing end; the shim's are the last now
	}
	done := make(chan struct{})
	go func() {
		o.readers.Wait()
		close(done)
	}()
	t := time.NewTimer(wait)
	defer t.Stop()
	var late error
	select {
	case <-done:
	case <-t.C:
		late = o.flush()
	}
	o.endLines()
	err := o.release()
	failpoint.Hit(failpoint.HoldClosed)
	return errors.Join(late, err, os.RemoveAll(o.dir))
}

// endLines ends the lines that the container did not.
func (o *output) endLines() {
	o.mu.Lock() // a reader may still be at it
	defer o.mu.Unlock()
	for i, s := range o.streams {
		if o.journal.Partial[i].Load() != 0 && o.w.MakeRoom(0) == nil {
			_, _ = o.w.Write(logfile.AppendEnd(nil, time.Now(), s.name)) // readers do without
		}
	}
}

var errOpen = errors.New("hold: the output has not ended; what was written until now is kept")

// flush moves what is there of an output that something still holds open.
func (o *output) flush() error {
	for i := range o.streams {
		for {
			before := o.size()
			if end, err := o.move(i); end || err != nil || o.size() == before {
				break
			}
		}
	}
	return errOpen
}

func (o *output) size() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Size()
}

// release closes everything and leaves the FIFOs for who adopts them.
func (o *output) release() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, s := range o.streams {
		errs = append(errs, s.f.r.Close())
		if s.spool != nil {
			errs = append(errs, s.spool.f.Close())
		}
		if err := s.f.w.Close(); !errors.Is(err, fs.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if o.w != nil {
		errs = append(errs, o.w.Close())
		o.w = nil
	}
	if o.journal != nil {
		errs = append(errs, o.journal.close())
	}
	return errors.Join(errs...)
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
