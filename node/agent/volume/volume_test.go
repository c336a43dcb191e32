package volume

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/agent/plan"
)

func TestOptions(t *testing.T) {
	for o, want := range map[string]struct {
		flags uintptr
		data  string
	}{
		"":                             {0, ""},
		"addr=10.0.0.1,rw,nfsvers=4":   {0, "addr=10.0.0.1,nfsvers=4"},
		"bind,ro":                      {unix.MS_BIND | unix.MS_RDONLY, ""},
		"size=1m,nosuid,uid=7,ro,rw":   {unix.MS_NOSUID, "size=1m,uid=7"},
		"defaults,rbind,noexec,noexec": {unix.MS_BIND | unix.MS_REC | unix.MS_NOEXEC, ""},
	} {
		if set, data := options(o); set != want.flags || data != want.data {
			t.Errorf("%q: %#x %q", o, set, data)
		}
	}
}

func shared(dir, name string) plan.Volume {
	return plan.Volume{Name: name, Path: filepath.Join(plan.SharedVolumes(dir), name), Make: true, Shared: true}
}

func TestSharedVolumeIsWhatItWasMadeAs(t *testing.T) {
	dir := t.TempDir()
	v := shared(dir, "v")
	v.Labels = map[string]string{"a": "b"}
	for range 2 {
		if err := Make(v); err != nil {
			t.Fatal(err)
		}
	}
	other := v
	other.Labels = nil
	if err := Make(other); err == nil || !strings.Contains(err.Error(), "other labels or driver options") {
		t.Error(err)
	}
	other.Make = false // asks for whatever it is
	if err := Make(other); err != nil {
		t.Error(err)
	}
	missing := shared(dir, "missing")
	missing.Make = false
	if err := Make(missing); err == nil || !strings.Contains(err.Error(), "autoprovision is off") {
		t.Error(err)
	}
	if err := os.MkdirAll(filepath.Join(plan.SharedVolumes(dir), "old"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Make(shared(dir, "old")); err != nil {
		t.Error("one that somebody else made:", err)
	}
}

// What a volume leads to outlives it, whoever is killed in between.
func TestMounts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir, source := t.TempDir(), t.TempDir()
	precious := filepath.Join(source, "precious")
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	bind := map[string]string{"type": "none", "o": "bind,ro", "device": source}
	own := plan.Volume{Name: "v", Path: filepath.Join(plan.Mounts(dir, "task"), "v"), Make: true, Own: true, DriverOpts: bind}
	all := shared(dir, "s")
	all.DriverOpts = map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
	for range 2 {
		for _, v := range []plan.Volume{own, all} {
			if err := Make(v); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(own.Path, "precious")); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(own.Path, "new"), nil, 0o600); err == nil {
		t.Error("it is read-only")
	}
	if err := Sweep(dir, func(string) bool { return true }, func(path string) bool { return path == all.Path }); err != nil {
		t.Error(err)
	}
	if there, err := mountsBelow(dir); err != nil || len(there) != 2 {
		t.Errorf("%v %v", there, err)
	}
	for range 2 {
		if err := Sweep(dir, func(string) bool { return false }, func(string) bool { return false }); err != nil {
			t.Error(err)
		}
	}
	if there, err := mountsBelow(dir); err != nil || len(there) != 0 {
		t.Errorf("left: %v %v", there, err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "mounts")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	bad := own
	bad.DriverOpts = map[string]string{"type": "no-such", "device": "x"}
	if err := Make(bad); err == nil || !strings.HasPrefix(err.Error(), "failed to mount local volume: ") {
		t.Error(err)
	}
	if err := Release(dir, "task"); err != nil {
		t.Error(err)
	}
}

// machine is a directory with a mount of the machine's in it, as shared as systemd makes all.
func machine(t *testing.T) (dir, within string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir = t.TempDir()
	within = filepath.Join(dir, "disk")
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", dir, "", unix.MS_SHARED, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(within, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", within, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	return dir, within
}

// The end of a volume ends nothing but itself, and nothing within one that is in use ends.
func TestWhatAVolumeLeadsToStaysMounted(t *testing.T) {
	source, disk := machine(t)
	dir := t.TempDir()
	v := shared(dir, "s")
	v.DriverOpts = map[string]string{"type": "none", "o": "rbind", "device": source}
	if err := Make(v); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(dir, nil, func(path string) bool { return path == v.Path }); err != nil {
		t.Error(err)
	}
	if there, err := mountsBelow(dir); err != nil || len(there) != 2 {
		t.Errorf("in use: %v %v", there, err)
	}
	if err := Sweep(dir, nil, func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	if there, err := mountsBelow(dir); err != nil || len(there) != 0 {
		t.Errorf("left: %v %v", there, err)
	}
	if there, err := mounted(disk); !there || err != nil {
		t.Errorf("the machine lost %s: %v", disk, err)
	}
	// Nor does the end of one that was mounted, and no more.
	if err := unix.Mount(source, v.Path, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		t.Fatal(err)
	}
	if err := Unmount(v.Path); err != nil {
		t.Error(err)
	}
	if there, err := mounted(disk); !there || err != nil {
		t.Errorf("the machine lost %s: %v", disk, err)
	}
}

// A volume that a killed node had mounted, and no more, becomes what it is to be.
func TestMountIsFinished(t *testing.T) {
	source, _ := machine(t)
	v := shared(t.TempDir(), "s")
	v.DriverOpts = map[string]string{"type": "none", "o": "bind,ro", "device": source}
	if err := os.MkdirAll(v.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(source, v.Path, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = Unmount(v.Path) })
	if err := mount(v.Path, v.DriverOpts); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v.Path, "new"), nil, 0o600); err == nil {
		t.Error("it is not read-only")
	}
}

// The data directory may be a symbolic link.
func TestMountsBehindALink(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), dir); err != nil {
		t.Fatal(err)
	}
	v := plan.Volume{Name: "v", Path: filepath.Join(plan.Mounts(dir, "task"), "v"), Make: true, Own: true,
		DriverOpts: map[string]string{"type": "tmpfs", "device": "tmpfs"}}
	for range 2 {
		if err := Make(v); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := mountsBelow(dir); err != nil || len(there) != 1 {
		t.Errorf("%v %v", there, err)
	}
	if err := Sweep(dir, func(string) bool { return false }, nil); err != nil {
		t.Error(err)
	}
	if there, err := mountsBelow(dir); err != nil || len(there) != 0 {
		t.Errorf("left: %v %v", there, err)
	}
}
