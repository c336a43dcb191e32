package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Limits bound a log.
type Limits struct {
	MaxBytes int64 // of one file
	Files    int   // in all, the current one included
}

// Writer appends to a log and rotates it. One goroutine may use it at a time.
type Writer struct {
	path string
	l    Limits
	f    *os.File // nil after a rotation that could not make the new file
	size int64
}

// OpenWriter opens or makes the log at path.
func OpenWriter(path string, l Limits) (*Writer, error) {
	if l.MaxBytes < 1 || l.Files < 1 {
		return nil, fmt.Errorf("logfile: limits %+v must be at least 1", l)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	w := &Writer{path: path, l: l}
	return w, w.open()
}

func (w *Writer) open() error {
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.f, w.size = f, info.Size()
	return nil
}

// Size is the current file's.
func (w *Writer) Size() int64 { return w.size }

// MakeRoom rotates when n more bytes would make the file too large. It may be
// called again after it failed: a full disk may have room then.
func (w *Writer) MakeRoom(n int) error {
	if w.f == nil {
		if err := w.open(); err != nil {
			return err
		}
	}
	if w.size == 0 || w.size+int64(n) <= w.l.MaxBytes {
		return nil
	}
	err := w.f.Close()
	w.f = nil
	if err != nil {
		return err
	}
	if err := w.rotate(); err != nil {
		return err
	}
	return w.open()
}

// rotate moves every file one name back.
func (w *Writer) rotate() error {
	if w.l.Files == 1 {
		return os.Remove(w.path)
	}
	for i := w.l.Files - 1; i > 0; i-- {
		if err := os.Rename(older(w.path, i-1), older(w.path, i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// older names the i-th file back; 0 is the current one.
func older(path string, i int) string {
	if i == 0 {
		return path
	}
	return fmt.Sprintf("%s.%d", path, i)
}

// Write appends b.
func (w *Writer) Write(b []byte) (int, error) {
	n, err := w.f.Write(b)
	w.size += int64(n)
	return n, err
}

// Truncate takes back what was written after size.
func (w *Writer) Truncate(size int64) error {
	if w.size <= size {
		return nil
	}
	if err := w.f.Truncate(size); err != nil {
		return err
	}
	w.size = size
	return nil
}

// Close puts what was written on disk.
func (w *Writer) Close() error {
	if w.f == nil {
		return nil
	}
	return errors.Join(w.f.Sync(), w.f.Close())
}
