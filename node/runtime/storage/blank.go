package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Program makes file systems; it is e2fsprogs's.
const Program = "mkfs.ext4"

const (
	blankPrefix = "blank-" // of the file that those of a size are copied from
	blockSize   = 4096
	inodeSize   = 256
	inodeRatio  = 16 << 10
)

// blank is the file that file systems of a size are copied from. It is made once.
func (c Config) blank(ctx context.Context, gib int64) (string, error) {
	path := filepath.Join(c.Dir, blankPrefix+strconv.FormatInt(gib, 10)+suffix)
	unlock := c.Making.Lock(path)
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return "", err
	}
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := format(ctx, next, whole(gib)); err != nil {
		return "", err
	}
	return path, os.Rename(next, path)
}

// whole is the size of the file of a file system that has room for so many GiB: ext4 keeps 16 MiB to itself, describes each 16 KiB by an inode
// of 256 bytes, and has some bitmaps.
func whole(gib int64) int64 { return gib<<30 + gib<<30/inodeRatio*inodeSize + gib<<30/1024 + 24<<20 }

// sizeOf is what whole was made of, in bytes.
func sizeOf(file int64) int64 { return (file - whole(0)) / (whole(1) - whole(0)) << 30 }

// format makes an empty file system in a file. It has no journal: nothing outlives a crash of the machine that could need one.
func format(ctx context.Context, path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(f.Truncate(size), f.Close())
	}
	if err != nil {
		return err
	}
	program, err := findProgram()
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, program, "-q", "-F", "-b", strconv.Itoa(blockSize), "-O", "^has_journal,^resize_inode", "-m", "0", "-I", strconv.Itoa(inodeSize), "-i", strconv.Itoa(inodeRatio),
		"-E", "lazy_itable_init=1,nodiscard,root_owner=0:0", path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", Program, err, out)
	}
	return nil
}

// copyHoles copies a file's data to where it lies, and leaves the rest a hole.
func copyHoles(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = out.Truncate(info.Size())
	for at := int64(0); err == nil; {
		at, err = copyNext(out, in, at)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, out.Close())
}

// copyNext copies the data that comes first after at, and answers where it ends.
func copyNext(out, in *os.File, at int64) (end int64, err error) {
	start, err := in.Seek(at, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return at, io.EOF // holes to the end
	}
	if err != nil {
		return at, err
	}
	if end, err = in.Seek(start, unix.SEEK_HOLE); err != nil {
		return at, err
	}
	if _, err = in.Seek(start, io.SeekStart); err == nil {
		_, err = out.Seek(start, io.SeekStart)
	}
	if err == nil {
		_, err = io.CopyN(out, in, end-start)
	}
	return end, err
}

// findProgram looks where root's shell would, whatever this process's own path is.
func findProgram() (string, error) {
	for _, path := range []string{Program, "/usr/sbin/" + Program, "/sbin/" + Program} {
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("there is no %s (apt-get install e2fsprogs)", Program)
}
