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
	"os"
	"path/filepath"
	"runtime"
)

// ErrNone says that there is none for this machine's architecture.
var ErrNone = errors.New("no init process for " + runtime.GOARCH)

// Program is it; nil: there is none for this machine's architecture.
func Program() []byte { return bytes.Clone(program) }

// Install puts the program at path, unless it is there.
func Install(path string) error {
	if len(program) == 0 {
		return ErrNone
	}
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, program) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // many may be at it at once
	if err != nil {
		return err
	}
	_, err = f.Write(program)
	if err = errors.Join(err, f.Chmod(0o755), f.Close()); err == nil { // whatever the umask is
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
