package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Told is what a sandbox tells of its containers.
type Told struct {
	CPU  map[string]uint64 // nanoseconds, by container: those of its own processes, without what the sandbox does for them
	Pids uint64            // of the container that was asked for
}

// dial connects with a task's sandbox.
func (c Config) dial(ctx context.Context, task string) (net.Conn, error) {
	dir, err := os.Open(filepath.Join(c.Path(task), c.Namespace))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // only looked through
	var d net.Dialer
	return d.DialContext(ctx, "unix", socket(dir, task))
}

// Answers says whether a task's sandbox runs.
func (c Config) Answers(task string) bool {
	dir, err := os.Open(filepath.Join(c.Path(task), c.Namespace))
	if err != nil {
		return false
	}
	defer func() { _ = dir.Close() }() // only looked through
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }() // nothing was asked
	return unix.Connect(fd, &unix.SockaddrUnix{Name: socket(dir, task)}) == nil
}

// socket is where a task's sandbox listens, below the directory where runsc has its state, whose name may be too long for a socket.
func socket(dir *os.File, task string) string {
	return fmt.Sprintf("/proc/self/fd/%d/runsc-%s.sock", dir.Fd(), First(task))
}

// Ask asks a task's sandbox for what it counts. It is the question of `runsc events`, without a process for each answer.
func (c Config) Ask(ctx context.Context, task, id string) (Told, error) {
	conn, err := c.dial(ctx, task)
	if err != nil {
		return Told{}, fmt.Errorf("the sandbox of task %s: %w", task, err)
	}
	defer func() { _ = conn.Close() }() // everything was read
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	return ask(conn, id)
}

// ask speaks gVisor's urpc: a JSON document each way.
func ask(conn net.Conn, id string) (Told, error) {
	call := struct {
		Method string `json:"method"`
		Arg    string `json:"arg"`
	}{"containerManager.Event", id}
	if err := json.NewEncoder(conn).Encode(call); err != nil {
		return Told{}, err
	}
	var answer struct {
		Success bool   `json:"success"`
		Err     string `json:"err"`
		Result  struct {
			Event struct {
				Data struct {
					Pids struct {
						Current uint64 `json:"current"`
					} `json:"pids"`
				} `json:"data"`
			} `json:"event"`
			Usage map[string]uint64 `json:"containerUsage"`
		} `json:"result"`
	}
	if err := json.NewDecoder(conn).Decode(&answer); err != nil {
		return Told{}, err
	}
	if !answer.Success {
		return Told{}, errors.New("the sandbox answers: " + answer.Err)
	}
	return Told{CPU: answer.Result.Usage, Pids: answer.Result.Event.Data.Pids.Current}, nil
}
