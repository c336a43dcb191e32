package reserve

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A file that was reserved is written on a full disk, where another is not.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it mounts a small disk")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no mounts here: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	const n = 1 << 20
	ours, other := filepath.Join(dir, "ours"), filepath.Join(dir, "other")
	for _, path := range []string{ours, other} {
		if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := File(ours, n); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(ours); err != nil || string(text) != "content" {
		t.Errorf("it is %q now (%v)", text, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hog"), make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := write(other, n); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a file that was not reserved: %v", err)
	}
	if err := write(ours, n); err != nil {
		t.Error(err)
	}
	if err := File(other, n); err != nil {
		t.Errorf("reserving on a full disk: %v", err)
	}
}

func write(path string, n int) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, n), 0)
	return errors.Join(err, f.Close())
}

func TestNoFile(t *testing.T) {
	if err := File(filepath.Join(t.TempDir(), "none"), 4096); err != nil {
		t.Error(err)
	}
}

// Where nothing can be reserved a server starts all the same.
func TestNothingToBeHad(t *testing.T) {
	if err := File(os.DevNull, 4096); err != nil { // no device reserves
		t.Error(err)
	}
	for _, e := range []syscall.Errno{syscall.EDQUOT, syscall.ENOSPC, syscall.EOPNOTSUPP, syscall.EINVAL} {
		if !cannot(e) {
			t.Errorf("%v is an error", e)
		}
	}
	if cannot(syscall.EIO) {
		t.Error("a broken disk is none")
	}
}
