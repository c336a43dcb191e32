// Package disk says how full a file system is.
//
// Guarantee: the answer is never below what df shows.
package disk

import (
	"fmt"
	"syscall"
)

// Used answers how much of the file system that path is on is used, in percent of what everybody but root may use, as df
// counts.
func Used(path string) (int, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("disk: %s: %w", path, err)
	}
	return percent(s.Blocks-s.Bfree, s.Bavail), nil
}

// Size answers how large the file system that path is on is, in bytes.
func Size(path string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("disk: %s: %w", path, err)
	}
	return int64(s.Blocks) * s.Frsize, nil
}

// percent rounds up: a disk that is not quite full is not told to be less full than it is.
func percent(used, free uint64) int {
	if used+free == 0 {
		return 0
	}
	return int((used*100 + used + free - 1) / (used + free)) // at most 100
}
