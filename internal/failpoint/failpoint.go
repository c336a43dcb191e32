package failpoint

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// armed is what this process watches for; nil: nothing.
var armed atomic.Pointer[watch]

// watch is what the environment asked for.
type watch struct {
	point Point // "": only what is seen is written down
	left  atomic.Int64
	mark  string
	kill  func() // does not return, but in tests

	mu   sync.Mutex
	seen map[Point]bool
	log  *os.File // nil: nobody wants to know
}

// On says whether a point is watched for: what is made for a point's name only need not be made otherwise.
func On() bool { return armed.Load() != nil }

// Hit passes an instant.
func Hit(p Point) {
	if w := armed.Load(); w != nil {
		w.pass(p)
	}
}

// Around passes the instant before a step and answers what passes the one after it: defer Around(p)().
func Around(p Point) func() {
	w := armed.Load()
	if w == nil {
		return nothing
	}
	w.pass(p + before)
	return func() { w.pass(p + after) }
}

func nothing() {}

// Kind is a point's for one kind of what it does.
func (p Point) Kind(names []string) Point {
	slices.Sort(names)
	return p + Point("("+strings.Join(slices.Compact(names), "+")+")")
}

// Process is the one that passes p: node, hold or server.
func (p Point) Process() string {
	process, _, _ := strings.Cut(string(p), "/")
	return process
}

const (
	nameVariable = "FAILPOINT"
	seenVariable = "FAILPOINT_SEEN"
)

// Arm does what the environment asks for. It is called once, before anything else.
func Arm(environ []string) error {
	name, seen := lookup(environ, nameVariable), lookup(environ, seenVariable)
	if name == "" && seen == "" {
		return nil
	}
	w := &watch{seen: map[Point]bool{}, kill: die}
	if err := w.aim(name); err != nil {
		return err
	}
	if seen != "" {
		var err error
		if w.log, err = os.OpenFile(seen, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return fmt.Errorf("%s: %w", seenVariable, err)
		}
	}
	armed.Store(w)
	return nil
}

func lookup(environ []string, name string) string {
	for _, e := range environ {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// aim reads "POINT HIT MARK".
func (w *watch) aim(text string) error {
	if text == "" {
		return nil
	}
	fields := strings.Fields(text)
	const members = 3
	if len(fields) != members {
		return fmt.Errorf("%s=%q: want a point, the number of a hit and the path of a mark", nameVariable, text)
	}
	n, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("%s=%q: hit %q must be a number from 1", nameVariable, text, fields[1])
	}
	if _, err := os.Lstat(fields[2]); err == nil {
		return nil // an earlier process was killed
	}
	w.point, w.mark = Point(fields[0]), fields[2]
	w.left.Store(n)
	return nil
}

func (w *watch) pass(p Point) {
	if w.log != nil {
		w.note(p)
	}
	if p != w.point || w.left.Add(-1) != 0 {
		return
	}
	f, err := os.OpenFile(w.mark, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return // another process was first
	}
	_ = f.Close() // it is empty
	w.kill()
}

func (w *watch) note(p Point) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.seen[p] {
		w.seen[p] = true
		fmt.Fprintln(w.log, p)
	}
}

// die ends the process as a crash does, here and not a moment later.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
