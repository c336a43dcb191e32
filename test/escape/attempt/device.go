package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// node makes a device's node and opens it.
func node(kind, major, minor uint32, flags int) (int, error) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return -1, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "node")
	if err := unix.Mknod(path, kind|0o600, int(unix.Mkdev(major, minor))); err != nil {
		return -1, fmt.Errorf("mknod: %w", err)
	}
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("open: %w", err)
	}
	return fd, nil
}

// character is the attempt to open a character device.
func character(major, minor uint32) func(aim.Aim) error {
	return func(aim.Aim) error {
		fd, err := node(unix.S_IFCHR, major, minor, unix.O_RDWR)
		if err == nil {
			_ = unix.Close(fd)
		}
		return err
	}
}

// disk reads the first block of one of the machine's.
func disk(a aim.Aim) error {
	fd, err := node(unix.S_IFBLK, a.Disk[0], a.Disk[1], unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	b := make([]byte, 512)
	if _, err = unix.Read(fd, b); err == nil && !contains(b, a.Token) {
		err = errors.New("it is another disk")
	}
	return err
}

// kernelLog opens the machine's log to write into it.
func kernelLog(aim.Aim) error {
	fd, err := node(unix.S_IFCHR, 1, 11, unix.O_WRONLY)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}
