// Package rootfs reads files of an image from its unpacked layers, without
// mounting them.
//
// Guarantees: what is read is what the container would see (a higher layer
// hides a lower one, whiteouts and opaque directories count, symbolic links are
// followed inside the image); no path, link or name in an image leads outside
// its layers; sizes are bounded.
package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	maxLinks = 40 // as the kernel
	maxFile  = 1 << 20
)

// Layers are the directories of an image's layers, topmost first.
type Layers []string

// ReadFile reads the file at path as a container of the image would see it.
func (l Layers) ReadFile(path string) ([]byte, error) {
	file, err := l.resolve(path)
	if err != nil {
		return nil, fmt.Errorf("image: %s: %w", path, err)
	}
	// The last component is known not to be a link; layers never change.
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("image: %s is not a regular file", path))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("image: %s is larger than %d bytes", path, maxFile)
	}
	return text, nil
}

// resolve answers where on this machine the file at path lies.
func (l Layers) resolve(path string) (string, error) {
	stack := []Layers{l} // merged directories from the root to here
	rest := parts(path)
	links := 0
	for i := 0; i < len(rest); i++ {
		name := rest[i]
		if name == ".." {
			stack = stack[:max(1, len(stack)-1)]
			continue
		}
		file, dirs, err := stack[len(stack)-1].lookup(name)
		switch {
		case err != nil:
			return "", err
		case dirs != nil:
			stack = append(stack, dirs)
			continue
		}
		target, err := os.Readlink(file)
		if errors.Is(err, unix.EINVAL) { // not a link
			if i < len(rest)-1 {
				return "", unix.ENOTDIR
			}
			return file, nil
		}
		if err != nil {
			return "", err
		}
		if links++; links > maxLinks {
			return "", unix.ELOOP
		}
		if filepath.IsAbs(target) {
			stack = stack[:1]
		}
		rest = append(parts(target), rest[i+1:]...)
		i = -1
	}
	return "", unix.EISDIR
}

// lookup finds name in one merged directory: a file, or the directories that
// together make the merged one.
func (l Layers) lookup(name string) (file string, dirs Layers, err error) {
	for _, dir := range l {
		p := filepath.Join(dir, name)
		info, err := os.Lstat(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		if whiteout(info) {
			break
		}
		if !info.IsDir() {
			if dirs == nil {
				return p, nil, nil
			}
			break
		}
		dirs = append(dirs, p)
		if opaque(p) {
			break
		}
	}
	if dirs == nil {
		return "", nil, fs.ErrNotExist
	}
	return "", dirs, nil
}

// parts splits path; names that an image could not have are dropped.
func parts(path string) []string {
	var out []string
	for p := range strings.SplitSeq(path, "/") {
		if p != "" && p != "." {
			out = append(out, p)
		}
	}
	return out
}

// whiteout is overlayfs's mark of a deleted name: a character device 0:0.
func whiteout(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == 0
}

// opaque is overlayfs's mark of a directory that hides the ones below it.
func opaque(dir string) bool {
	var b [1]byte
	n, err := unix.Lgetxattr(dir, "trusted.overlay.opaque", b[:])
	return err == nil && n == 1 && b[0] == 'y'
}
