package etcd

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockDir makes this process the only user of a data directory, or says that another is. The kernel frees the lock when
// the process ends, however it ends. (etcd itself would wait for the other without a word.)
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("etcd: DataDir: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("etcd: DataDir: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("etcd: DataDir %s is in use by another process: %w", dir, err)
	}
	return f, nil
}
