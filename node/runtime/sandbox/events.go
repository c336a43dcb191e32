package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Told is what a sandbox tells of its containers.
type Told struct {
	CPU  map[string]uint64 // nanoseconds, by container: those of its own processes, without what the sandbox does for them
	Pids uint64            // of the container that was asked for
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
	return unix.Connect(fd, &unix.SockaddrUnix{Name: socket(dir, c.Of(task))}) == nil
}

// socket is where a sandbox listens, below the directory where runsc has its state, whose name may be too long for a socket.
func socket(dir *os.File, name string) string {
	return fmt.Sprintf("/proc/self/fd/%d/runsc-%s.sock", dir.Fd(), First(name))
}

// Ask asks a task's sandbox for what it counts. It is the question of `runsc events`, without a process for each answer.
func (c Config) Ask(ctx context.Context, task, id string) (Told, error) {
	conn, err := c.dial(ctx, task)
	if err != nil {
		return Told{}, fmt.Errorf("the sandbox of task %s: %w", task, err)
	}
	defer func() { _ = conn.Close() }() // everything was read
	return conn.told(id)
}

func (c *control) told(id string) (Told, error) {
	var result struct {
		Event struct {
			Data struct {
				Pids struct {
					Current uint64 `json:"current"`
				} `json:"pids"`
			} `json:"data"`
		} `json:"event"`
		Usage map[string]uint64 `json:"containerUsage"`
	}
	if err := c.ask("containerManager.Event", id, &result); err != nil {
		return Told{}, err
	}
	return Told{CPU: result.Usage, Pids: result.Event.Data.Pids.Current}, nil
}
