package hold

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/failpoint"
)

const (
	fifoSize  = 256 << 10 // how far a container gets while hold is away
	chunkSize = 64 << 10  // what is moved at once
)

// fifo is one FIFO. While w is open there is no end of input, so a shim may
// come, go and come again; closing w lets the end through.
type fifo struct {
	r, w *os.File
	raw  syscall.RawConn
}

func openFIFO(path string) (*fifo, error) {
	if err := unix.Mkfifo(path, 0o600); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("hold: make %s: %w", path, err)
	}
	failpoint.Hit(failpoint.HoldFIFO)
	// Without O_NONBLOCK the first would wait for a writer.
	r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	w, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	f := &fifo{r: r, w: w}
	if f.raw, err = r.SyscallConn(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	// A smaller FIFO works too; the system's limit may be below ours.
	_ = f.raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, fifoSize) })
	return f, nil
}

func (f *fifo) close() error { return errors.Join(f.r.Close(), f.w.Close()) }

// ready waits until there is input or the end of it.
func (f *fifo) ready() error {
	return f.raw.Read(func(fd uintptr) bool {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(p, 0)
		return n > 0 || (err != nil && !errors.Is(err, unix.EINTR))
	})
}

// spool is where a FIFO's bytes are between FIFO and log. The kernel moves them
// from one to the other in one call, so the size of the file says exactly what
// was taken, whenever this process is killed; no byte is ever nowhere or in both.
type spool struct {
	f    *os.File
	size int64
}

const spoolSize = 1 << 20 // the file is emptied when it is larger

func openSpool(path string) (*spool, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spool{f: f, size: info.Size()}, nil
}

// take moves what there is from f, at most a chunk. None and no error: there is
// nothing now. end: there will be nothing.
func (s *spool) take(f *fifo) (n int, end bool, err error) {
	cerr := f.raw.Control(func(fd uintptr) {
		off := s.size
		var k int64
		k, err = unix.Splice(int(fd), nil, int(s.f.Fd()), &off, chunkSize, unix.SPLICE_F_NONBLOCK)
		n = int(max(k, 0))
	})
	s.size += int64(n)
	if n > 0 {
		failpoint.Hit(failpoint.HoldTaken)
	}
	switch {
	case cerr != nil:
		return 0, false, cerr
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("hold: splice: %w", err)
	}
	return n, n == 0, nil
}

// empty makes the file short again once all of it is in the log.
func (s *spool) empty() error {
	if err := s.f.Truncate(0); err != nil {
		return err
	}
	s.size = 0
	return nil
}
