// Package marks keeps at most one file for each container in a directory. That it
// is there says something of the container, whatever becomes of who put it there.
//
// Guarantees: putting and removing are idempotent; a sweep removes those of tasks
// that are gone.
package marks

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Dir is the directory. It is made when it is needed.
type Dir string

// Path is the container's file.
func (d Dir) Path(id string) string { return filepath.Join(string(d), id) }

// Put makes it, empty.
func (d Dir) Put(id string) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	return os.WriteFile(d.Path(id), nil, 0o600)
}

// FIFO makes it as a FIFO and answers its path.
func (d Dir) FIFO(id string) (string, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return "", err
	}
	err := unix.Mkfifo(d.Path(id), 0o600)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return d.Path(id), err
}

// Has says whether it is there.
func (d Dir) Has(id string) bool {
	_, err := os.Lstat(d.Path(id))
	return !errors.Is(err, fs.ErrNotExist)
}

// Remove removes it.
func (d Dir) Remove(id string) error {
	if err := os.Remove(d.Path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Sweep removes those of tasks that keep does not want.
func (d Dir) Sweep(keep func(task string) bool) error {
	entries, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		if task, _, _ := strings.Cut(e.Name(), "-"); !keep(task) {
			errs = append(errs, d.Remove(e.Name()))
		}
	}
	return errors.Join(errs...)
}
