package rootfs

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Has32Bit reports whether any layer has an executable 32-bit ELF file.
func (l Layers) Has32Bit() (bool, error) {
	for _, dir := range l {
		found := false
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if info.Mode()&0o111 != 0 && elf32(path) {
				found = true
				return fs.SkipAll
			}
			return nil
		})
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// elf32 looks at a file's identification: 0x7f E L F, class 1 (32 bits).
func elf32(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	var b [5]byte
	n, _ := f.Read(b[:])
	return n == len(b) && string(b[:]) == "\x7fELF\x01"
}
