package shim

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// SweepSockets removes the shims' sockets that nobody listens on.
func (c Config) SweepSockets() error {
	entries, err := os.ReadDir(c.SocketDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		path := filepath.Join(c.SocketDir, e.Name())
		conn, err := net.Dial("unix", path) //nolint:noctx // a local socket answers at once, or refuses
		if err == nil {
			conn.Close()
			continue
		}
		if errors.Is(err, unix.ECONNREFUSED) {
			errs = append(errs, os.Remove(path))
		}
	}
	return errors.Join(errs...)
}
