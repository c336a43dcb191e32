package logfile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Follow gives the lines of a container's log and goes on with those that come,
// until ctx ends or the log is removed. A log that is not there yet is waited for.
func Follow(ctx context.Context, dir, task, container string) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		path := Path(dir, task, container)
		w, err := watch(filepath.Dir(path))
		if err != nil {
			yield(Line{}, err)
			return
		}
		defer w.close()
		stop := context.AfterFunc(ctx, w.close)
		defer stop()
		r := &reader{path: path}
		defer r.close()
		for {
			if !r.toEnd(ctx, yield) {
				return
			}
			if !exists(path) && !exists(older(path, 1)) {
				r.close() // it is read to its end, and its directory cannot go while we have it open
			}
			more, err := w.wait()
			if err != nil && ctx.Err() == nil {
				yield(Line{}, err)
			}
			if !more || ctx.Err() != nil {
				r.toEnd(ctx, yield)
				return
			}
		}
	}
}

// watcher is told by the kernel when anything in a directory changes.
type watcher struct{ f *os.File }

// watch makes dir when it is missing, so that there is something to watch.
func watch(dir string) (*watcher, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("logfile: inotify: %w", err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	const mask = unix.IN_MODIFY | unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_DELETE_SELF | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, dir, mask); err != nil {
		return nil, errors.Join(fmt.Errorf("logfile: watch %s: %w", dir, err), f.Close())
	}
	return &watcher{f: f}, nil
}

// wait returns after a change; false when the directory is gone or the watcher closed.
func (w *watcher) wait() (bool, error) {
	buf := make([]byte, 4096)
	n, err := w.f.Read(buf)
	if errors.Is(err, fs.ErrClosed) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("logfile: inotify: %w", err)
	}
	for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		mask := binary.NativeEndian.Uint32(b[4:])
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		if mask&(unix.IN_DELETE_SELF|unix.IN_IGNORED) != 0 {
			return false, nil
		}
		b = b[min(size, len(b)):]
	}
	return true, nil
}

func (w *watcher) close() { w.f.Close() }
