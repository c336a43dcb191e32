// Package reserve keeps room on the disk for files that must be writable when the disk is full, because what is in them is what
// makes room again: the records of what runs and of what is to end.
//
// Guarantees: the first bytes of a reserved file can be written, as far as the file system lets space be reserved ahead; where it
// does not, nothing is changed. The file's size and content stay as they are. Reserving again costs next to nothing.
package reserve

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// keepSize reserves blocks beyond the end of a file and leaves the end where it is.
const keepSize = 1

// File sees to it that the first n bytes of the file at path, which is there, have room on the disk. One that has as much already,
// or that is not there, is left alone; so is one on a disk that is full by now.
func File(path string, n int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		return fmt.Errorf("reserve %s: %w", path, err)
	}
	const block = 512
	if st.Blocks*block >= n {
		return nil
	}
	for {
		err := syscall.Fallocate(int(f.Fd()), keepSize, 0, n)
		if errors.Is(err, syscall.EINTR) { // the runtime sends its threads signals
			continue
		}
		if err != nil && !cannot(err) {
			return fmt.Errorf("reserve %d bytes of %s: %w", n, path, err)
		}
		return nil
	}
}

// cannot says whether there is nothing to be had: the file system does not reserve, or the disk or somebody's share of it is full.
func cannot(err error) bool {
	for _, e := range []syscall.Errno{
		syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.ENODEV, syscall.EINVAL, syscall.EPERM, syscall.EFBIG, syscall.ENOSPC, syscall.EDQUOT,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
