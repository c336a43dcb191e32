package inventory

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// takeStorage finds the files of tasks' file systems, and the loop devices of files below the installation's directories, deleted or not.
func (v *Inventory) takeStorage(o Options) {
	files, err := os.ReadDir(filepath.Join(o.DataDir, "storage"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.fail("storage", err)
	}
	for _, f := range files {
		if owner := ownerIn(f.Name()); owner != "" { // the others are what tasks' are copied from
			v.add(Storage, filepath.Join(o.DataDir, "storage", f.Name()), owner, "")
		}
	}
	devices, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		v.fail("loop devices", err)
	}
	for _, d := range devices {
		text, err := os.ReadFile(d)
		if err != nil {
			continue // it has just ended
		}
		if file := strings.TrimSpace(string(text)); o.below(file) {
			v.add(Storage, strings.Split(d, "/")[3]+" "+file, ownerIn(file), "")
		}
	}
}
