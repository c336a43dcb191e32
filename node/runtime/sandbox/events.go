package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Told is what a sandbox tells of its containers.
type Told struct {
	CPU  map[string]uint64 // nanoseconds, by container: those of its own processes, without what the sandbox does for them
	Pids uint64            // of the container that was asked for
}

// dial connects with a task's sandbox. Where runsc has its state may be too long a name for a socket.
func (c Config) dial(ctx context.Context, task string) (net.Conn, error) {
	dir, err := os.Open(filepath.Join(c.Path(task), c.Namespace))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // only looked through
	var d net.Dialer
	return d.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/runsc-%s.sock", dir.Fd(), First(task)))
}

// Answers says whether a task's sandbox runs.
func (c Config) Answers(task string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := c.dial(ctx, task)
	if err == nil {
		_ = conn.Close() // nothing was asked
	}
	return err == nil
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
