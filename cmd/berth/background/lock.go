package background

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrRunning says that another process holds the pid file.
var ErrRunning = errors.New("this installation already runs")

// Hold makes this process the holder of the pid file until release is called or the process ends.
// The error wraps ErrRunning when another process is.
func Hold(pidFile string) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(pidFile), 0o755); err != nil {
		return nil, fmt.Errorf("pid file: %w", err)
	}
	f, err := os.OpenFile(pidFile, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("pid file: %w", err)
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, wholeFile()); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
			return nil, fmt.Errorf("%w: %s is held by process %d", ErrRunning, pidFile, readPID(f))
		}
		return nil, fmt.Errorf("lock %s: %w", pidFile, err)
	}
	if err := writePID(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("pid file: %w", err)
	}
	// Closing gives the lock back. The file stays: removing it would let two processes lock two different files.
	return func() { f.Close() }, nil
}

// Running returns the process that holds the pid file, if any does.
func Running(pidFile string) (pid int, running bool, err error) {
	f, err := os.Open(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("pid file: %w", err)
	}
	defer f.Close()
	lock := wholeFile()
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, lock); err != nil {
		return 0, false, fmt.Errorf("lock %s: %w", pidFile, err)
	}
	if lock.Type == unix.F_UNLCK {
		return 0, false, nil
	}
	return readPID(f), true, nil
}

// wholeFile is a lock of the open file, not of the process; asking about one does not take it, so a look never
// disturbs a start.
func wholeFile() *unix.Flock_t { return &unix.Flock_t{Type: unix.F_WRLCK} }

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// readPID returns 0 when the holder has not written its id yet.
func readPID(f *os.File) int {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}
