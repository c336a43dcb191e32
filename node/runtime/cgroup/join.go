package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Seat is how a process joins a cgroup, and how it is ended with everything it started.
type Seat struct {
	Join   []string // files a process writes its number to
	Kill   string   // lists the processes to end; or, when ByKill, ends them when it is written
	ByKill bool
}

// seatOf is the hierarchy of version 1 in which processes that join are kept apart: it limits and counts nothing.
var seatOf = []string{"freezer", "pids"}

// Seat makes a cgroup of that name below path, which holds whoever joins by it apart from the others at path. In every
// other respect who joins is at path.
func (h *Hierarchy) Seat(path, name string) (Seat, error) {
	if h.unified {
		dir := filepath.Join(h.root, path, name)
		if err := mkdir(dir); err != nil {
			return Seat{}, err
		}
		return Seat{Join: []string{filepath.Join(dir, "cgroup.procs")}, Kill: filepath.Join(dir, "cgroup.kill"), ByKill: true}, nil
	}
	own := ""
	for _, s := range seatOf {
		if _, err := os.Stat(filepath.Join(h.root, s, path)); err == nil {
			own = filepath.Join(h.root, s, path)
			break
		}
	}
	if own == "" {
		return Seat{}, &fs.PathError{Op: "seat", Path: path, Err: fs.ErrNotExist}
	}
	if err := mkdir(filepath.Join(own, name)); err != nil {
		return Seat{}, err
	}
	out := Seat{Kill: filepath.Join(own, name, "cgroup.procs")}
	for _, dir := range h.dirs(path) {
		if dir == own {
			dir = filepath.Join(own, name)
		}
		procs := filepath.Join(dir, "cgroup.procs")
		if _, err := os.Stat(procs); err == nil {
			out.Join = append(out.Join, procs)
		}
	}
	return out, nil
}

func mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o755); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
