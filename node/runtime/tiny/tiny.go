// Package tiny is a static program of two kilobytes: the first process of
// containers that want an init, and of namespaces that containers of a task share.
//
// Guarantees: the embedded program is what src/build.sh makes of src/tiny.c, which
// a test holds it to where the compiler is there; Install leaves the whole program
// or the one before, and running ones alone.
package tiny

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
)

// ErrNone says that there is none for this machine's architecture.
var ErrNone = errors.New("no init process for " + runtime.GOARCH)

// Install puts the program at path, unless it is there.
func Install(path string) error {
	if len(program) == 0 {
		return ErrNone
	}
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, program) {
		return nil
	}
	next := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(next, program, 0o755); err != nil { //nolint:gosec // containers of any user run it
		return err
	}
	if err := os.Chmod(next, 0o755); err != nil { // whatever the umask is
		return err
	}
	return os.Rename(next, path)
}
