package hosts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Disk gives the host a disk of its own for its data directory, so small that it can be filled. It comes before what runs on the host.
func (h *Host) Disk(mebibytes int) {
	h.world.t.Helper()
	err := os.MkdirAll(h.DataDir(), 0o700)
	h.must(errors.Join(err, unix.Mount("disk", h.DataDir(), "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", mebibytes))))
}

// Fill takes all the room of the disk but so much, and answers what makes it again.
func (h *Host) Fill(leave int) (room func()) {
	h.world.t.Helper()
	path := filepath.Join(h.DataDir(), "filler")
	f, err := os.Create(path)
	h.must(err)
	for err = unix.ENOSPC; errors.Is(err, unix.ENOSPC); { // what runs on the host took some of what was free a moment ago
		var s unix.Statfs_t
		h.must(unix.Statfs(h.DataDir(), &s))
		free := int64(s.Bavail)*s.Bsize - int64(leave)
		if free <= 0 {
			err = nil
			break
		}
		err = unix.Fallocate(int(f.Fd()), 0, 0, free)
	}
	h.must(err)
	h.must(f.Close())
	return func() { h.must(os.Remove(path)) }
}

// Running says whether a process of the host has not ended.
func (h *Host) Running(r Role) bool {
	select {
	case <-h.processes[r].done:
		return false
	default:
		return true
	}
}

// eject takes a host's disk away, with what is on it.
func (h *Host) eject() error {
	var s unix.Statfs_t
	if err := unix.Statfs(h.DataDir(), &s); err != nil || s.Type != unix.TMPFS_MAGIC {
		return nil //nolint:nilerr // it was lost, or not made yet
	}
	if err := unix.Unmount(h.DataDir(), unix.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) { // it is not one of its own
		return fmt.Errorf("unmount %s: %w", h.DataDir(), err)
	}
	return nil
}
