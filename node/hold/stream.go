package hold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/internal/failpoint"
)

const fifoSize = 1 << 20 // how far a container gets while hold is away, and what is moved at once

// fifo is one FIFO. While w is open there is no end of input, so a shim may
// come, go and come again; closing w lets the end through.
type fifo struct {
	r int // not an os.File: see bell
	w *os.File
	// roomy: it has the size we want, so there is time to let a container print on.
	roomy bool
	raw   syscall.RawConn
	// bell is an epoll instance with only the FIFO in it, and the one that the
	// runtime waits for. The FIFO rings once each time it is set; in between
	// a container may write as often as it likes without waking us.
	bell *os.File
}

func openFIFO(path string) (_ *fifo, err error) {
	if err := unix.Mkfifo(path, 0o600); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("hold: make %s: %w", path, err)
	}
	failpoint.Hit(failpoint.HoldFIFO)
	// Without O_NONBLOCK the first would wait for a writer.
	f := &fifo{}
	if f.r, err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("hold: open %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	// A smaller FIFO works too; the system's limit may be below ours.
	_, err = unix.FcntlInt(uintptr(f.r), unix.F_SETPIPE_SZ, fifoSize)
	f.roomy = err == nil
	if f.w, err = os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0); err != nil {
		return nil, err
	}
	bell, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("hold: epoll: %w", err)
	}
	if err := unix.SetNonblock(bell, true); err != nil { // os.NewFile waits for nothing else
		return nil, errors.Join(err, unix.Close(bell))
	}
	f.bell = os.NewFile(uintptr(bell), "bell")
	if err := unix.EpollCtl(bell, unix.EPOLL_CTL_ADD, f.r, &unix.EpollEvent{Events: unix.EPOLLONESHOT}); err != nil {
		return nil, fmt.Errorf("hold: epoll: %w", err)
	}
	f.raw, err = f.bell.SyscallConn()
	return f, err
}

func (f *fifo) close() error {
	errs := []error{unix.Close(f.r)}
	f.r = -1
	for _, file := range []*os.File{f.bell, f.w} {
		if file == nil {
			continue
		}
		if err := file.Close(); !errors.Is(err, fs.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// set lets the FIFO ring: at once when there is something in it.
func (f *fifo) set() error {
	var err error
	cerr := f.raw.Control(func(fd uintptr) {
		err = unix.EpollCtl(int(fd), unix.EPOLL_CTL_MOD, f.r, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT})
	})
	return errors.Join(cerr, err)
}

// wait waits for the ring after set: there is input, or the end of it.
func (f *fifo) wait() error {
	var err error
	rerr := f.raw.Read(func(fd uintptr) bool {
		var n int
		n, err = unix.EpollWait(int(fd), make([]unix.EpollEvent, 1), 0)
		return n > 0 || (err != nil && !errors.Is(err, unix.EINTR))
	})
	return errors.Join(rerr, err)
}
