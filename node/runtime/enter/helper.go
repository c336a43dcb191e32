package enter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Helper is the process that enters containers. Its methods may be called at once.
type Helper struct {
	path  string
	grace time.Duration // what an answer may take beside the command

	mu      sync.Mutex
	conn    *net.UnixConn // nil: it does not run
	wait    chan struct{} // of the one that runs
	process *os.Process
}

const (
	answerGrace  = 10 * time.Second
	takePatience = 2 * time.Second // for the helper to take a request; it does nothing else
	endPatience  = time.Second
)

// Find answers the helper at path, or nil when there is none. It is started when it is needed.
func Find(path string) *Helper {
	if s, err := os.Stat(path); err != nil || !s.Mode().IsRegular() || s.Mode()&0o111 == 0 {
		return nil
	}
	return &Helper{path: path, grace: answerGrace}
}

// Close ends the helper.
func (h *Helper) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stop()
}

// stop ends the helper, also one that does not move. Whoever runs a command for it goes on: they have its answer's way themselves.
func (h *Helper) stop() {
	if h.conn == nil {
		return
	}
	_ = h.conn.Close()
	_ = h.process.Kill() // it has ended, or does now
	select {
	case <-h.wait:
	case <-time.After(endPatience): // the kernel has it; nobody else waits for that
	}
	h.conn = nil
}

// retire ends the helper if it is still the one that wait is of.
func (h *Helper) retire(wait chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wait == wait {
		h.stop()
	}
}

// start starts the process. The lock is held.
func (h *Helper) start() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "helper"), os.NewFile(uintptr(pair[1]), "helper")
	defer theirs.Close()
	defer ours.Close() // FileConn has its own
	conn, err := net.FileConn(ours)
	if err != nil {
		return err
	}
	cmd := exec.Command(h.path) //nolint:noctx // it outlives the first check
	cmd.ExtraFiles, cmd.Env = []*os.File{theirs}, []string{}
	cmd.Dir = "/"
	if err := cmd.Start(); err != nil {
		return errors.Join(err, conn.Close())
	}
	wait := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ends does not matter
		close(wait)
		h.retire(wait)
	}()
	h.conn, h.wait, h.process = conn.(*net.UnixConn), wait, cmd.Process
	return nil
}

// send hands a request over, to a new helper when the old one is gone or takes none. It answers whose it is.
func (h *Helper) send(fds []int) (wait chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rights := unix.UnixRights(fds...)
	for range 2 {
		if h.conn == nil {
			if err = h.start(); err != nil {
				return nil, err
			}
		}
		if err = h.conn.SetWriteDeadline(time.Now().Add(takePatience)); err == nil {
			_, _, err = h.conn.WriteMsgUnix([]byte{1}, rights, nil)
		}
		if err == nil {
			return h.wait, nil
		}
		h.stop()
	}
	return nil, err
}

// Command is what to run.
type Command struct {
	Args    []string
	Timeout time.Duration
	Out     io.Writer // gets what it says
}

// Errors of Run.
var (
	// ErrUnable is wrapped when the command did not run, for reasons that say nothing about it.
	ErrUnable = errors.New("the container cannot be entered")
	// ErrTimeout is wrapped when the command was killed because its time was over.
	ErrTimeout = errors.New("timed out")
)

// What the helper answers: see src/enter.c.
const (
	exited = iota
	signalled
	timedOut
	failed
)

const (
	atNamespace = 3
	atDirectory = 7
	atExec      = 9
)

// outputGrace is how long output is waited for that comes after the end: a child may go on with the streams.
const outputGrace = 100 * time.Millisecond

// Run runs a command at a place with rights. One that a signal ended has 128 and the
// signal's number as its code, as in a shell.
func (h *Helper) Run(ctx context.Context, p Place, r Rights, what Command) (code int, err error) {
	c, err := h.begin(p, r, what)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnable, err)
	}
	defer c.close()
	if err := c.result.SetReadDeadline(time.Now().Add(what.Timeout + h.grace)); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnable, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.result.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	said := make(chan struct{})
	go func() { defer close(said); _, _ = io.Copy(what.Out, c.output) }() // cut off by the deadline below
	var answer [3]int32
	err = binary.Read(c.result, binary.NativeEndian, &answer)
	_ = c.output.SetReadDeadline(time.Now().Add(outputGrace))
	<-said
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		h.retire(c.helper)
		return 0, fmt.Errorf("%w: the helper does not answer", ErrUnable)
	case err != nil:
		return 0, fmt.Errorf("%w: the helper ended: %w", ErrUnable, err)
	}
	return meaning(answer, what.Args, what.Timeout)
}

// meaning is the helper's answer in our words.
func meaning(a [3]int32, args []string, timeout time.Duration) (int, error) {
	errno := unix.Errno(a[1])
	switch {
	case a[0] == exited:
		return int(a[1]), nil
	case a[0] == signalled:
		return 128 + int(a[1]), nil
	case a[0] == timedOut:
		return 0, fmt.Errorf("%w after %v", ErrTimeout, timeout)
	case a[2] == atExec && errno == unix.ENOENT:
		return 0, fmt.Errorf("OCI runtime exec failed: exec failed: unable to start container process: exec: %q: executable file not found in $PATH", args[0])
	case a[2] == atExec:
		return 0, fmt.Errorf("OCI runtime exec failed: exec failed: unable to start container process: exec: %q: %w", args[0], errno)
	case a[2] == atDirectory:
		return 0, fmt.Errorf("OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd: %w", errno)
	}
	return 0, fmt.Errorf("%w: step %d: %w", ErrUnable, a[2], errno)
}

// call is a request under way.
type call struct {
	result, output *os.File
	helper         chan struct{} // closed when the one that took it has ended
}

func (c *call) close() {
	_ = c.result.Close() // the helper sees it, and kills what still runs
	_ = c.output.Close()
}

func (h *Helper) begin(p Place, r Rights, what Command) (*call, error) {
	inside, err := p.open()
	if err != nil {
		return nil, err
	}
	defer func() { inside.close() }()
	text, err := p.text(what.Args, r, what.Timeout)
	if err != nil {
		return nil, err
	}
	inside = append(inside, text)
	output, said, err := pipe()
	if err != nil {
		return nil, err
	}
	inside = append(inside, said)
	result, tell, err := pipe()
	if err != nil {
		return nil, errors.Join(err, output.Close())
	}
	inside = append(inside, tell)
	fds := slices.Concat(descriptors{text, said, tell}.numbers(), inside[:len(inside)-3].numbers())
	helper, err := h.send(fds)
	if err != nil {
		return nil, errors.Join(err, output.Close(), result.Close())
	}
	return &call{result, output, helper}, nil
}

// pipe makes a pipe whose reading end can be waited for with a deadline; the writing end is as a program expects it.
func pipe() (r, w *os.File, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, err
	}
	if err := unix.SetNonblock(p[0], true); err != nil {
		return nil, nil, errors.Join(err, unix.Close(p[0]), unix.Close(p[1]))
	}
	return os.NewFile(uintptr(p[0]), "pipe"), os.NewFile(uintptr(p[1]), "pipe"), nil
}

// PID is the helper's process; 0 when none runs.
func (h *Helper) PID() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn == nil {
		return 0
	}
	return h.process.Pid
}
