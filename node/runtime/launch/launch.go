// Package launch tells how far the start of a container came, when nobody is left who made it.
//
// runc makes a container's init, which waits at a FIFO. `runc start` opens that, reads what init says, and removes it; then init
// becomes the container's program. containerd's death kills a `runc start` that is under way, at any of its steps.
//
// Guarantees: a process that waits, or may end because nobody waits for it, is never said to run, and neither is one that ends.
package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// State is the directory in which runc keeps what it knows of one container.
type State string

// FIFO is where init waits.
func (s State) FIFO() string { return filepath.Join(string(s), "exec.fifo") }

// alone is what init ends with when it finds nobody to tell that it starts.
const alone = 255

// CutOff tells an init that ended before the container's first instruction: `runc start` had opened the FIFO, and was killed
// before it read. When the start was made, the FIFO is gone.
func (s State) CutOff(exit uint32) bool {
	if exit != alone {
		return false
	}
	_, err := os.Lstat(s.FIFO())
	return err == nil
}

// Past tells that a container's first process is past the FIFO: it runs, whatever its shim was told of the start.
func (s State) Past(pid uint32) bool {
	fifo, err := os.Stat(s.FIFO())
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Lstat(string(s))
		return err == nil
	}
	return err == nil && !holds(pid, fifo)
}

// Finish does the last thing that `runc start` does. Without the FIFO runc, too, says that the container runs. Call it for a
// process that is Past and that no start is under way for.
func (s State) Finish() error {
	if err := os.Remove(s.FIFO()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// holds tells whether a process has the file open, or is none that could say so. init has the FIFO open from its first moment
// until it is past it.
func holds(pid uint32, file os.FileInfo) bool {
	proc := fmt.Sprintf("/proc/%d/", pid)
	open, err := os.ReadDir(proc + "fd")
	if err != nil {
		return true
	}
	for _, fd := range open {
		if at, err := os.Stat(proc + "fd/" + fd.Name()); err == nil && os.SameFile(at, file) {
			return true
		}
	}
	// One that ends has no program any more when it has closed its files.
	_, err = os.Readlink(proc + "exe")
	return err != nil
}
