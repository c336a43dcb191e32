package hold

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/clock"
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
	w       *logfile.Writer
	spooled bool // there may be a spool of version 1
	busy    bool // the last chunk was a long one
	failing bool // the last write failed; said once
}

type stream struct {
	name string
	f    *fifo
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
	o := &output{dir: dir, meta: m, spooled: true, log: c.Log.With("output", filepath.Base(dir))}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.release())
		}
	}()
	journal := filepath.Join(dir, "journal")
	_, absent := os.Lstat(journal)
	if o.journal, err = openJournal(journal); err != nil {
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
	}
	// What cannot be written now is tried again by who reads, as after any other failure.
	if err := o.mend(); err != nil {
		o.complain(err)
	}
	if absent != nil { // no process of ours was at the log since the machine began
		if err := o.w.Check(); err != nil {
			return nil, err
		}
	}
	for i := range o.streams {
		o.readers.Go(func() { o.read(i) })
	}
	return o, nil
}

// mend ends what one who was killed, or a failure, left unfinished: bytes that are in the log and have no head.
func (o *output) mend() error {
	if o.spooled {
		if err := o.settleSpools(); err != nil {
			return err
		}
	}
	if i := o.journal.Taking.Load(); i > 0 {
		at := time.Unix(0, o.journal.At.Load())
		if err := o.w.Reseal(int64(o.journal.Before.Load()), at, o.streams[i-1].name); err != nil {
			return err
		}
		o.journal.Taking.Store(0)
	}
	return nil
}

const (
	retryWrite = time.Second
	// A container that printed so much at once is let print on for a moment, into a FIFO with room for several times as much:
	// fewer and longer chunks cost less. What is less than that is never waited for.
	busy   = 64 << 10
	gather = time.Millisecond
	// leastRoom is the room for a chunk below which another file is begun.
	leastRoom = 4 << 10
)

// read moves a stream's input until its end.
func (o *output) read(i int) {
	for {
		n, end, err := o.move(i)
		switch {
		case end:
			return
		case err != nil:
			// The input stays where it is and the container waits; a full disk
			// may have room again.
			o.complain(err)
			rest(retryWrite)
		case n >= busy && o.streams[i].f.roomy:
			rest(gather)
		case o.await(i) != nil:
			return // closed
		}
	}
}

func rest(d time.Duration) {
	t := time.NewTimer(d)
	<-t.C
}

// await waits until there is input, or the end of it.
func (o *output) await(i int) error {
	f, err := o.streams[i].f, fs.ErrClosed
	o.mu.Lock()
	if o.w != nil {
		err = f.set()
	}
	o.mu.Unlock()
	if err != nil {
		return err
	}
	return f.wait()
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

// move makes one chunk of what is in the FIFO. None and no error: there is nothing now. end: there will be nothing.
func (o *output) move(i int) (n int, end bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.w == nil {
		return 0, true, nil
	}
	// First what an earlier failure left: it has its place in the log.
	if err := o.mend(); err != nil {
		return 0, false, err
	}
	if err := o.w.MakeRoom(logfile.HeadSize + leastRoom); err != nil {
		return 0, false, err
	}
	if o.busy {
		o.w.Reserve(fifoSize)
	}
	s, now := o.streams[i], clock.Now()
	o.begin(i, now)
	n, err = o.w.Take(s.f.r, fifoSize)
	if n == 0 {
		o.journal.Taking.Store(0)
		switch {
		case err == nil:
			return 0, true, nil
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			return 0, false, nil
		}
		return 0, false, fmt.Errorf("hold: splice: %w", err)
	}
	failpoint.Hit(failpoint.HoldTaken)
	if err := o.w.Seal(now, s.name, n); err != nil {
		return 0, false, err
	}
	failpoint.Hit(failpoint.HoldWritten)
	o.journal.Taking.Store(0)
	o.failing, o.busy = false, n >= busy
	return n, false, nil
}

// begin says in the journal that a chunk is under way, so that whoever comes after us knows what it is.
func (o *output) begin(i int, at time.Time) {
	o.journal.Before.Store(uint64(o.w.Size()))
	o.journal.At.Store(at.UnixNano())
	o.journal.Taking.Store(uint64(i) + 1)
	failpoint.Hit(failpoint.HoldWriting)
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
	err := errors.Join(o.endLines(), o.release())
	failpoint.Hit(failpoint.HoldClosed)
	return errors.Join(late, err, os.RemoveAll(o.dir))
}

// endLines ends the lines that the container did not.
func (o *output) endLines() error {
	o.mu.Lock() // a reader may still be at it
	defer o.mu.Unlock()
	if err := o.mend(); err != nil {
		return err
	}
	for i, s := range o.streams {
		now := clock.Now()
		if o.w.MakeRoom(logfile.HeadSize) == nil {
			o.begin(i, now)
			_ = o.w.Seal(now, s.name, 0) // readers do without
			o.journal.Taking.Store(0)
		}
	}
	return nil
}

var errOpen = errors.New("hold: the output has not ended; what was written until now is kept")

// flush moves what is there of an output that something still holds open, and may go on writing.
func (o *output) flush() error {
	for i := range o.streams {
		for moved := 0; moved < 2*fifoSize; {
			n, end, err := o.move(i)
			if n == 0 || end || err != nil {
				break
			}
			moved += n
		}
	}
	return errOpen
}

// release closes everything and leaves the FIFOs for who adopts them.
func (o *output) release() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, s := range o.streams {
		errs = append(errs, s.f.close())
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
