package storage

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/keyed"
)

const task = "0123456789abcdef0123456789abcdef"

// place is somewhere for file systems; nothing is mounted there when the test ends.
func place(t *testing.T) Config {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if err := Can(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/var/tmp", "storage")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Dir: filepath.Join(dir, "files"), Mounts: filepath.Join(dir, "tasks"), Making: &keyed.Mutex{}}
	t.Cleanup(func() {
		if err := c.Remove(task); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return c
}

// device is the loop device of a task's file; "" for none.
func (c Config) device(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if text, err := os.ReadFile(f); err == nil && strings.HasPrefix(string(text), c.file(task)) {
			return f
		}
	}
	return ""
}

// disk is what a file takes of the disk.
func disk(t *testing.T, path string) int64 {
	t.Helper()
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		t.Fatal(err)
	}
	return s.Blocks * 512
}

// It is as large as it should be and takes of the disk what is in use; asked again it stays what it is; what is deleted goes back.
func TestMake(t *testing.T) {
	c := place(t)
	for n := range 2 {
		if err := c.Make(t.Context(), task, 200); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			if err := os.WriteFile(filepath.Join(c.Path(task), "f"), bytes.Repeat([]byte("x"), 32<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			unix.Sync()
		}
	}
	u, ok := c.Usage(task)
	if !ok || u.Size != 200<<30 || u.Used < 32<<20 || u.Used > 33<<20 {
		t.Errorf("%+v, %v", u, ok)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(c.Path(task), &s); err != nil || int64(s.Bavail)*s.Bsize < 200<<30-u.Used || int64(s.Bavail)*s.Bsize > 201<<30 || s.Files < 12<<20 {
		t.Errorf("%+v, %v", s, err)
	}
	full := disk(t, c.file(task))
	if full > 40<<20 {
		t.Errorf("it takes %d bytes of the disk", full)
	}
	if err := os.Remove(filepath.Join(c.Path(task), "f")); err != nil {
		t.Fatal(err)
	}
	unix.Sync()
	if now := disk(t, c.file(task)); now > full-30<<20 {
		t.Errorf("of %d bytes %d stay when they are deleted", full, now)
	}
	if tasks, err := c.Tasks(); err != nil || !cmp.Equal(tasks, []string{task}) {
		t.Error(tasks, err)
	}
	for range 2 {
		if err := c.Remove(task); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Lstat(c.Path(task)); !os.IsNotExist(err) || c.Has(task) {
		t.Error("it is there:", err)
	}
	waitFor(t, func() bool { return c.device(t) == "" })
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for !ok() {
		if t.Context().Err() != nil {
			t.Fatal("it does not come")
		}
		unix.Sync() // the kernel lets go of a device a moment later
	}
}

// Whoever was killed in the making left a file, whole or not, and perhaps a directory: it is made anew, or removed.
func TestWhatAKillLeaves(t *testing.T) {
	for name, left := range map[string]func(Config) error{
		"half a file": func(c Config) error { return os.WriteFile(c.file(task), []byte("half"), 0o600) },
		"half a format": func(c Config) error {
			return os.WriteFile(filepath.Join(c.Dir, "blank-1.ext4.new"), []byte("half"), 0o600)
		},
		"a device": func(c Config) error {
			blank, err := c.blank(t.Context(), 1)
			if err == nil {
				err = copyHoles(c.file(task), blank)
			}
			if err != nil {
				return err
			}
			d, err := attach(c.file(task))
			if err != nil {
				return err
			}
			return d.Close() // as the kernel does for the killed
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := place(t)
			if err := os.MkdirAll(c.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := left(c); err != nil {
				t.Fatal(err)
			}
			if _, ok := c.Usage(task); ok {
				t.Error("what is not mounted has a usage")
			}
			if err := c.Make(t.Context(), task, 1); err != nil {
				t.Fatal(err)
			}
			if u, ok := c.Usage(task); !ok || u.Size != 1<<30 {
				t.Errorf("%+v, %v", u, ok)
			}
		})
	}
}

// What is asked for can be had, of each size that there is.
func TestWhole(t *testing.T) {
	c := place(t)
	for _, gib := range []int64{1, 20, 21, 77} {
		if err := c.Make(t.Context(), task, gib); err != nil {
			t.Fatal(err)
		}
		var s unix.Statfs_t
		err := unix.Statfs(c.Path(task), &s)
		if u, ok := c.Usage(task); err != nil || !ok || u.Size != gib<<30 || int64(s.Bavail)*s.Bsize < gib<<30 || int64(s.Bavail)*s.Bsize > gib<<30+gib<<30/100+32<<20 {
			t.Errorf("%d GiB: %+v, %d bytes are free, %v", gib, u, int64(s.Bavail)*s.Bsize, err)
		}
		if err := c.Remove(task); err != nil {
			t.Fatal(err)
		}
	}
}

// Somebody of the machine's looks at it: it goes nevertheless.
func TestRemoveOfABusyOne(t *testing.T) {
	c := place(t)
	if err := c.Make(t.Context(), task, 1); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(c.Path(task), "f"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Remove(task); err != nil || c.Has(task) {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	waitFor(t, func() bool { return c.device(t) == "" })
}

func TestRoot(t *testing.T) {
	c := place(t)
	id := task + "-1"
	if _, err := c.Root(id, []string{"/l"}, nil); err == nil {
		t.Error("a root without a file system would be the machine's disk")
	}
	if err := c.Make(t.Context(), task, 1); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(c.Path(task), "rootfs", id)
	for name, v := range map[string]struct {
		layers []string
		view   []mount.Mount
		more   []string
	}{
		"one layer": {[]string{"/l1"}, []mount.Mount{{Type: "bind", Source: "/l1", Options: []string{"ro", "rbind"}}}, nil},
		"layers":    {[]string{"/l2", "/l1"}, []mount.Mount{{Type: "overlay", Source: "overlay", Options: []string{"index=off", "lowerdir=/l2:/l1"}}}, []string{"index=off"}},
	} {
		want := []mount.Mount{{Type: "overlay", Source: "overlay",
			Options: append([]string{"workdir=" + dir + "/work", "upperdir=" + dir + "/upper", "lowerdir=" + strings.Join(v.layers, ":")}, v.more...)}}
		got, err := c.Root(id, v.layers, v.view)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
	if err := c.Drop(id); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); !os.IsNotExist(err) {
		t.Error("what it wrote is there:", err)
	}
}

// BenchmarkMake is what a task on FARGATE waits for.
func BenchmarkMake(b *testing.B) {
	dir := b.TempDir()
	c := Config{Dir: filepath.Join(dir, "files"), Mounts: filepath.Join(dir, "tasks"), Making: &keyed.Mutex{}}
	for b.Loop() {
		if err := c.Make(b.Context(), task, 20); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := c.Remove(task); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
