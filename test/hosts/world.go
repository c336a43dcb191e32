package hosts

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/network/lan"
	"github.com/berth-ecs/berth/test/installation"
)

// World is the hosts of a test and the wire between them.
type World struct {
	t     testing.TB
	name  string // begins every name of it: a letter and four digits
	dir   string // what is on disk
	lock  *os.File
	hosts []*Host
	exe   string
}

// worlds is where each leaves word of itself, so that who comes after a crash finds what stayed.
const worlds = "/run/berth-hosts"

// New makes a world without hosts. It ends with the test. Without root there is none.
func New(t testing.TB) *World {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes namespaces, links and containers")
	}
	exe, err := installation.Program(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := Sweep(t.Context(), exe); err != nil {
		t.Fatalf("what an earlier test left: %v", err)
	}
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails
	w := &World{t: t, name: "h" + hex.EncodeToString(b[:]), exe: exe}
	w.dir = filepath.Join(os.TempDir(), "berth-"+w.name)
	t.Cleanup(w.close)
	if err := w.begin(); err != nil {
		t.Fatal(err)
	}
	return w
}

// begin leaves word, and then makes the wire.
func (w *World) begin() error {
	if err := os.MkdirAll(worlds, 0o755); err != nil {
		return err
	}
	var err error
	if w.lock, err = lock(filepath.Join(worlds, w.name)); err != nil {
		return err
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	return w.wire().Make()
}

func (w *World) wire() lan.Wire { return lan.Wire(w.name + "w") }

func (w *World) fail(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Error(err)
	}
}

// close takes the world away; what resists is the test's failure.
func (w *World) close() {
	if w.t.Failed() {
		for _, h := range w.hosts {
			w.t.Logf("the end of %s's log:\n%s", h.Name, h.LastLog(25))
		}
	}
	if w.lock == nil {
		return
	}
	for _, h := range w.hosts {
		h.killAll()
		w.fail(h.straight())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), 2*time.Minute)
	defer cancel()
	if err := remove(ctx, w.exe, w.name); err != nil {
		w.t.Error(err)
	}
	_ = w.lock.Close()
}

// Sweep removes the worlds of test processes that are gone.
func Sweep(ctx context.Context, exe string) error {
	left, err := os.ReadDir(worlds)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var errs []error
	for _, e := range left {
		l, err := lock(filepath.Join(worlds, e.Name()))
		if err != nil {
			continue // somebody is in it
		}
		errs = append(errs, remove(ctx, exe, e.Name()), l.Close())
	}
	return errors.Join(errs...)
}

// lock holds a world's file for as long as this process lives.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// remove takes away everything whose name begins as a world's: processes, what nodes left, namespaces, directories, and last the word of it.
func remove(ctx context.Context, exe, world string) error {
	dir := filepath.Join(os.TempDir(), "berth-"+world)
	found, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var errs []error
	for _, e := range found {
		h := &Host{Name: e.Name(), dir: filepath.Join(dir, e.Name())}
		errs = append(errs, killNamed(h.Name), h.eject(), h.down(ctx, exe))
	}
	errs = append(errs, lan.Remove(world))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("world %s: %w", world, err)
	}
	return errors.Join(os.RemoveAll(dir), os.Remove(filepath.Join(worlds, world)))
}

// killNamed ends the servers and nodes of an installation. Its name is random, and stands in the environment of each.
func killNamed(name string) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ")) // it may be gone by now
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		args := strings.Split(string(line), "\x00")
		if len(args) > 1 && slices.Contains([]string{string(Server), string(Node), string(Etcd)}, args[1]) && strings.Contains("\x00"+string(environ), "\x00BERTH_NAME="+name+"\x00") {
			_ = syscall.Kill(pid, syscall.SIGKILL) // as above
		}
	}
	return nil
}
