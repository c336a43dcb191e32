package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A sandbox made ahead has a name of its own, which everything of it is called after: gVisor remembers where it lies and its cgroup. The task
// that takes it has a link to it.

// aheadPrefix begins the names of sandboxes made ahead. A name is as long as a task's id.
const aheadPrefix = "spare-"

const nameLength = 32

// NewName is the name of a sandbox that no task has.
func NewName() string {
	var b [(nameLength - len(aheadPrefix)) / 2]byte
	_, _ = rand.Read(b[:]) // never fails
	return aheadPrefix + hex.EncodeToString(b[:])
}

// IsAhead tells the name of a sandbox made ahead from a task's id.
func IsAhead(name string) bool {
	return len(name) == nameLength && strings.HasPrefix(name, aheadPrefix)
}

// Of is the name of a task's sandbox: the task's id, or that of the one it took.
func (c Config) Of(task string) string {
	if at, err := os.Readlink(filepath.Join(c.Dir, task)); err == nil {
		return filepath.Base(at)
	}
	return task
}

// ErrTaken is what Take answers for a task that has a sandbox.
var ErrTaken = errors.New("the task has a sandbox")

// Take makes the sandbox of the name the task's, for good. A sandbox must be taken once.
func (c Config) Take(task, name string) error {
	if !IsAhead(name) {
		return fmt.Errorf("%q is no sandbox made ahead", name)
	}
	err := os.Symlink(name, filepath.Join(c.Dir, task))
	if errors.Is(err, os.ErrExist) {
		return ErrTaken
	}
	return err
}

// Owners are the tasks that took a sandbox made ahead, by its name.
func (c Config) Owners() (map[string]string, error) {
	names, err := c.Tasks()
	out := map[string]string{}
	for _, task := range names {
		if name := c.Of(task); name != task {
			out[name] = task
		}
	}
	return out, err
}
