// Package whole stores small files of which half is worth nothing: keys, certificates, what a machine became.
//
// Guarantee: whatever ends, this process or the machine, a file is there as it was before or as it was written, and what Write returned for
// is on disk.
package whole

import (
	"io/fs"
	"os"
)

// Write stores data at path. The file beside it that ends in .new is its own.
func Write(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
