package logfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits bound a log.
type Limits struct {
	MaxBytes int64 // of one file
	Files    int   // in all, the current one included
}

// Writer appends to a log and rotates it. One goroutine may use it at a time.
type Writer struct {
	path string
	l    Limits
	f    *os.File // nil after a rotation that could not make the new file
	fd   int      // of f
	size int64
	head []byte
	// room is how far blocks are reserved; -1 where the file system does not.
	room int64
}

// reserveStep is what is reserved at once for who writes much.
const reserveStep = 8 << 20

// Reserve has the file system choose the blocks for what comes next in one go: for a block at a time that costs as much as filling
// them. They are given back when the file is complete.
func (w *Writer) Reserve(n int) {
	end := w.size + HeadSize + int64(n)
	if w.room < 0 || end <= w.room || end > w.l.MaxBytes {
		return
	}
	from := max(w.size, w.room)
	step := min(reserveStep, w.l.MaxBytes-from)
	if unix.Fallocate(w.fd, unix.FALLOC_FL_KEEP_SIZE, from, step) != nil {
		w.room = -1
		return
	}
	w.room = from + step
}

// trim gives back what was reserved and is not needed.
func (w *Writer) trim() error {
	info, err := w.f.Stat()
	if err != nil || info.Sys().(*syscall.Stat_t).Blocks*512 <= info.Size()+reserveStep/64 {
		return err
	}
	return w.f.Truncate(info.Size())
}

// OpenWriter opens or makes the log at path.
func OpenWriter(path string, l Limits) (*Writer, error) {
	if l.MaxBytes < 1 || l.Files < 1 {
		return nil, fmt.Errorf("logfile: limits %+v must be at least 1", l)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	w := &Writer{path: path, l: l}
	return w, w.open()
}

func (w *Writer) open() error {
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.f, w.fd, w.size = f, int(f.Fd()), info.Size()
	return nil
}

// Size is the current file's.
func (w *Writer) Size() int64 { return w.size }

// MakeRoom rotates when n more bytes would make the file too large. It may be
// called again after it failed: a full disk may have room then.
func (w *Writer) MakeRoom(n int) error {
	if w.f == nil {
		if err := w.open(); err != nil {
			return err
		}
	}
	if w.size == 0 || w.size+int64(n) <= w.l.MaxBytes {
		return nil
	}
	return w.turn()
}

// turn makes the file the first of the older ones and begins another.
func (w *Writer) turn() error {
	err := errors.Join(w.trim(), w.f.Close())
	w.f, w.room = nil, 0
	if err != nil {
		return err
	}
	if err := w.rotate(); err != nil {
		return err
	}
	return w.open()
}

// Check begins another file when the end of this one is not whole: a machine that lost its power has a head or bytes that never came
// to its disk. A reader goes on behind them in the next file.
func (w *Writer) Check() error {
	in, off := bufio.NewReaderSize(io.NewSectionReader(w.f, 0, w.size), 64<<10), int64(0)
	for off < w.size {
		n, err := skip(in)
		if err != nil {
			return w.turn()
		}
		off += int64(n)
	}
	return nil
}

// skip passes over one chunk or record.
func skip(in *bufio.Reader) (int, error) {
	b, err := in.Peek(1)
	if err != nil {
		return 0, err
	}
	if b[0] != mark {
		line, err := in.ReadSlice('\n')
		if err == nil {
			_, err = parse(line)
		}
		return len(line), err
	}
	if b, err = in.Peek(HeadSize); err != nil {
		return 0, err
	}
	h, err := parseHead(b)
	if err != nil {
		return 0, err
	}
	return in.Discard(HeadSize + h.length)
}

// rotate moves every file one name back.
func (w *Writer) rotate() error {
	if w.l.Files == 1 {
		return os.Remove(w.path)
	}
	for i := w.l.Files - 1; i > 0; i-- {
		if err := os.Rename(older(w.path, i-1), older(w.path, i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// older names the i-th file back; 0 is the current one.
func older(path string, i int) string {
	if i == 0 {
		return path
	}
	return fmt.Sprintf("%s.%d", path, i)
}

// Take moves what there is in the pipe fd into the file, at most n bytes and what its limit leaves, behind room for a head. The
// caller has made room for more than a head. Until Seal the size is what it was, and nobody reads what was taken.
func (w *Writer) Take(fd, n int) (int, error) {
	off := w.size + HeadSize
	n = int(min(int64(n), max(w.l.MaxBytes-off, 1)))
	taken, err := unix.Splice(fd, nil, w.fd, &off, n, unix.SPLICE_F_NONBLOCK)
	return int(max(taken, 0)), err
}

// Seal makes a chunk of n bytes that were taken.
func (w *Writer) Seal(at time.Time, stream string, n int) error {
	w.head = appendHead(w.head[:0], head{at, stream, n})
	if _, err := w.f.WriteAt(w.head, w.size); err != nil {
		return err
	}
	w.size += HeadSize + int64(n)
	return nil
}

// Reseal makes a chunk of all that was taken after before by one who did not come to seal it.
func (w *Writer) Reseal(before int64, at time.Time, stream string) error {
	info, err := w.f.Stat()
	if err != nil {
		return err
	}
	n := info.Size() - before - HeadSize
	w.size = max(info.Size(), before)
	if n <= 0 {
		return w.Truncate(before)
	}
	w.size = before
	return w.Seal(at, stream, int(n))
}

// Write appends b.
func (w *Writer) Write(b []byte) (int, error) {
	n, err := w.f.WriteAt(b, w.size)
	w.size += int64(n)
	return n, err
}

// Truncate takes back what was written after size.
func (w *Writer) Truncate(size int64) error {
	if w.size <= size {
		return nil
	}
	if err := w.f.Truncate(size); err != nil {
		return err
	}
	w.size = size
	return nil
}

// Close puts what was written on disk.
func (w *Writer) Close() error {
	if w.f == nil {
		return nil
	}
	return errors.Join(w.trim(), w.f.Sync(), w.f.Close())
}
