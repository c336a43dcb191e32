package volume

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// flags are the mount options that are flags; the others are the file system's own.
var flags = map[string]struct {
	set   uintptr
	clear bool
}{
	"ro": {unix.MS_RDONLY, false}, "rw": {unix.MS_RDONLY, true}, "nosuid": {unix.MS_NOSUID, false}, "suid": {unix.MS_NOSUID, true},
	"nodev": {unix.MS_NODEV, false}, "dev": {unix.MS_NODEV, true}, "noexec": {unix.MS_NOEXEC, false}, "exec": {unix.MS_NOEXEC, true},
	"sync": {unix.MS_SYNCHRONOUS, false}, "async": {unix.MS_SYNCHRONOUS, true}, "dirsync": {unix.MS_DIRSYNC, false},
	"noatime": {unix.MS_NOATIME, false}, "atime": {unix.MS_NOATIME, true}, "nodiratime": {unix.MS_NODIRATIME, false},
	"relatime": {unix.MS_RELATIME, false}, "strictatime": {unix.MS_STRICTATIME, false},
	"bind": {unix.MS_BIND, false}, "rbind": {unix.MS_BIND | unix.MS_REC, false}, "defaults": {0, false},
}

// options splits what driverOpts.o says.
func options(o string) (set uintptr, data string) {
	var own []string
	for word := range strings.SplitSeq(o, ",") {
		f, ok := flags[word]
		switch {
		case word == "":
		case !ok:
			own = append(own, word)
		case f.clear:
			set &^= f.set
		default:
			set |= f.set
		}
	}
	return set, strings.Join(own, ",")
}

// mount mounts what driverOpts say at path, unless something is. What is mounted or unmounted there stays there: a bind mount
// would otherwise share that with what it leads to, and its end would end mounts of the machine's.
func mount(path string, opts map[string]string) error {
	there, err := mounted(path)
	if err != nil {
		return err
	}
	set, data := options(opts["o"])
	if !there {
		if err := unix.Mount(opts["device"], path, opts["type"], set, data); err != nil {
			return fmt.Errorf("failed to mount local volume: mount %s:%s, flags: %#x, data: %s: %w", opts["device"], path, set, data, err)
		}
	}
	if err := unix.Mount("", path, "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("failed to mount local volume: make %s private: %w", path, err)
	}
	if again := set & (unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC); set&unix.MS_BIND != 0 && again != 0 {
		// A bind mount takes these the second time only.
		if err := unix.Mount("", path, "", set|unix.MS_REMOUNT, ""); err != nil {
			return fmt.Errorf("failed to mount local volume: remount %s, flags: %#x: %w", path, set, err)
		}
	}
	return nil
}

func mounted(path string) (bool, error) {
	found, err := mountsBelow(filepath.Dir(path))
	return slices.Contains(found, filepath.Clean(path)), err
}

// mountsBelow lists what is mounted below dir, which may lie behind a symbolic link: the kernel tells where things really are.
func mountsBelow(dir string) ([]string, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`)
	var out []string
	for line := range strings.Lines(string(text)) {
		const point = 4 // the mount point
		if f := strings.Fields(line); len(f) > point {
			if path, ok := strings.CutPrefix(plain.Replace(f[point]), real+"/"); ok {
				out = append(out, filepath.Join(dir, path))
			}
		}
	}
	return out, nil
}
