package enter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Rights are what a command may do, and what it finds: those of the container's first process.
type Rights struct {
	Env          []string
	Cwd          string
	UID, GID     uint32
	Groups       []uint32
	Umask        uint32
	Capabilities uint64 // a bit for each
	NoNewPrivs   bool
	Limits       []Limit
	Filter       []unix.SockFilter // nil: none
}

// Limit is a resource limit.
type Limit struct {
	Resource   uint32 // unix.RLIMIT_...
	_          uint32
	Soft, Hard uint64
}

// limitNames are the kernel's limits, by number, as /proc/PID/limits calls them.
var limitNames = []string{
	"cpu time", "file size", "data size", "stack size", "core file size", "resident set", "processes", "open files", "locked memory",
	"address space", "file locks", "pending signals", "msgqueue size", "nice priority", "realtime priority", "realtime timeout",
}

// Inherit takes the limits that nobody set from the container's first process.
func (r *Rights) Inherit(pid int) error {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "limits"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		n := slices.IndexFunc(limitNames, func(name string) bool { return strings.HasPrefix(line, "Max "+name+" ") })
		if n < 0 || slices.ContainsFunc(r.Limits, func(l Limit) bool { return l.Resource == uint32(n) }) {
			continue
		}
		f := strings.Fields(strings.TrimPrefix(line, "Max "+limitNames[n]))
		if len(f) < 2 {
			return fmt.Errorf("limits of process %d: %q", pid, line)
		}
		soft, serr := limit(f[0])
		hard, herr := limit(f[1])
		if err := errors.Join(serr, herr); err != nil {
			return fmt.Errorf("limits of process %d: %w", pid, err)
		}
		r.Limits = append(r.Limits, Limit{Resource: uint32(n), Soft: soft, Hard: hard})
	}
	return nil
}

func limit(s string) (uint64, error) {
	if s == "unlimited" {
		return unix.RLIM_INFINITY, nil
	}
	return strconv.ParseUint(s, 10, 64)
}

// Place is where a command runs.
type Place struct {
	PID    int    // the container's first process
	Member string // what its /proc/PID/cgroup must name, or the process is another's by now
	Join   []string
	Kill   string // a file: what it lists, or what its writing ends, is the command and its children
	ByKill bool   // Kill is cgroup.kill
}

// head is what enter.c calls so.
type head struct {
	Magic, Args, Env, Groups, Limits, Filters, Namespaces, Cgroups uint32
	UID, GID, Umask, NoNewPrivs, TimeoutMS, KillByWrite            uint32
	OOMScore                                                       int32
	_                                                              uint32
	Capabilities                                                   uint64
}

const magic = 0x62657231

// The namespaces that are entered beside the one of process ids; the one of mounts is last, and hides /proc.
var namespaces = []string{"ipc", "uts", "net", "cgroup", "mnt"}

// descriptors are open files; closing is what they are for.
type descriptors []*os.File

func (d descriptors) close() {
	for _, f := range d {
		_ = f.Close() // nothing was written
	}
}

func (d descriptors) numbers() []int {
	var out []int
	for _, f := range d {
		out = append(out, int(f.Fd()))
	}
	return out
}

// open opens what a request carries, text and pipes excepted, in the order of enter.c.
func (p Place) open() (descriptors, error) {
	var out descriptors
	add := func(name string, flag int) error {
		f, err := os.OpenFile(name, flag, 0)
		if err == nil {
			out = append(out, f)
		}
		return err
	}
	dir := filepath.Join("/proc", strconv.Itoa(p.PID))
	how := os.O_RDONLY
	if p.ByKill {
		how = os.O_WRONLY
	}
	// There is nothing to read. Not the machine's /dev/null: whoever has that open may change its owner and mode.
	nothing, end, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out = append(out, nothing)
	err = errors.Join(end.Close(), add(p.Kill, how), add(dir+"/ns/pid", os.O_RDONLY))
	for _, ns := range namespaces {
		err = errors.Join(err, add(dir+"/ns/"+ns, os.O_RDONLY))
	}
	for _, file := range p.Join {
		err = errors.Join(err, add(file, os.O_WRONLY))
	}
	if err == nil {
		err = p.still(dir)
	}
	if err != nil {
		out.close()
		return nil, err
	}
	return out, nil
}

// still makes sure that the process whose namespaces were opened is the container's: its number may be another's by now.
func (p Place) still(dir string) error {
	text, err := os.ReadFile(dir + "/cgroup")
	if err == nil && !strings.Contains(string(text), p.Member+"\n") && !strings.Contains(string(text), p.Member+"/") {
		err = fmt.Errorf("process %d is not of %s: %w", p.PID, p.Member, os.ErrNotExist)
	}
	return err
}

// text writes a request's text into memory that only the helper reads.
func (p Place) text(args []string, r Rights, timeout time.Duration) (*os.File, error) {
	h := head{
		Magic: magic, Args: uint32(len(args)), Env: uint32(len(r.Env)), Groups: uint32(len(r.Groups)), Limits: uint32(len(r.Limits)),
		Filters: uint32(len(r.Filter)), Namespaces: uint32(len(namespaces)), Cgroups: uint32(len(p.Join)),
		UID: r.UID, GID: r.GID, Umask: r.Umask, TimeoutMS: uint32(timeout.Milliseconds()), Capabilities: r.Capabilities,
	}
	if r.NoNewPrivs {
		h.NoNewPrivs = 1
	}
	if p.ByKill {
		h.KillByWrite = 1
	}
	score, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "oom_score_adj"))
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(score)), 10, 32)
	if err != nil {
		return nil, err
	}
	h.OOMScore = int32(n)
	var b bytes.Buffer
	for _, part := range []any{h, r.Limits, r.Filter, r.Groups} {
		if err := binary.Write(&b, binary.NativeEndian, part); err != nil {
			return nil, err
		}
	}
	for _, list := range [][]string{{r.Cwd}, args, r.Env} {
		for _, s := range list {
			if strings.ContainsRune(s, 0) {
				return nil, fmt.Errorf("%.50q holds a NUL", s)
			}
			b.WriteString(s)
			b.WriteByte(0)
		}
	}
	fd, err := unix.MemfdCreate("check", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "check")
	if _, err := f.Write(b.Bytes()); err != nil {
		_ = f.Close() // it is given up
		return nil, err
	}
	return f, nil
}
