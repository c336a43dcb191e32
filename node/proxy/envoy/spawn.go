package envoy

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/runtime/daemon"
)

// capabilities are all that Envoy keeps of root's: to enter network namespaces, and to listen on low ports.
var capabilities = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_BIND_SERVICE}

const (
	// oomScore: it carries the connections of many, so the kernel ends tasks first.
	oomScore = "-500"
	// files are those of connections, two for each request under way.
	files = 1 << 20
	// drainTime is how long connections of a listener that was changed, or is gone, may go on: as long as a client's may at all unless a load balancer says
	// otherwise. Envoy's ten minutes would cut web sockets and long answers short.
	drainTime = "3600"
	// noCore is the limit of a core dump with which the kernel writes none, and gives none to a program either, as it would with 0: there are keys in it.
	noCore = 1
)

// start starts an Envoy that is nobody's child for long: in a session of its own.
func start(c Config) (*daemon.Process, error) {
	text, err := Bootstrap(c)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.bootstrap(), text, 0o600); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(c.Program, "-c", c.bootstrap(), "--disable-hot-restart", "--log-level", "warning", //nolint:noctx // it outlives us
		// A client that asks again is told to come by a new connection at once, and not with a chance that grows over the hour: so a change counts for all soon.
		"--drain-time-s", drainTime, "--drain-strategy", "immediate")
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"} // nothing of ours: the settings' keys may be there
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := confined(func() error { return c.spawn(cmd) }); err != nil {
		return nil, err
	}
	p, err := daemon.OpenProcess(cmd.Process.Pid)
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	go cmd.Wait() //nolint:errcheck // only reaps; the end is seen through the pidfd
	settle(c, p.Pid)
	return p, nil
}

func (c Config) spawn(cmd *exec.Cmd) error {
	if c.Spawn == nil {
		return cmd.Start()
	}
	return c.Spawn(cmd)
}

// settle gives the process what is not inherited. What fails is worth a line: it serves all the same.
func settle(c Config, pid int) {
	err := os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte(oomScore), 0o600)
	err = errors.Join(err, unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{Cur: noCore, Max: noCore}, nil))
	var have unix.Rlimit
	if lerr := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &have); lerr == nil {
		more := unix.Rlimit{Cur: files, Max: max(files, have.Max)} // root may have more than it was given, but for the kernel's own bound
		if unix.Prlimit(pid, unix.RLIMIT_NOFILE, &more, nil) != nil {
			err = errors.Join(err, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: min(files, have.Max), Max: have.Max}, nil))
		}
	}
	if err != nil {
		c.Log.Debug("Envoy has not all that was meant for it", "pid", pid, "error", err)
	}
}

// confined runs f on a thread whose children can have no more than the capabilities. The thread ends with it.
func confined(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: nobody else gets this thread
		if err := drop(); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

func drop() error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if keeps(c) {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return os.NewSyscallError("no_new_privs", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
}

func keeps(c uintptr) bool {
	return slices.Contains(capabilities, c)
}
