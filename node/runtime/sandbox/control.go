package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// control is a connection to a sandbox's control socket. gVisor's calls are JSON, one after the other, and files go with them.
type control struct {
	net.Conn

	answers *json.Decoder
	stop    func() bool
}

// patience with a sandbox, whose answers take milliseconds.
const patience = 10 * time.Second

// dial connects with a task's sandbox. Where runsc has its state may be too long a name for a socket.
func (c Config) dial(ctx context.Context, task string) (*control, error) {
	dir, err := os.Open(filepath.Join(c.Path(task), c.Namespace))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // only looked through
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket(dir, c.Of(task)))
	if err != nil {
		return nil, err
	}
	return newControl(ctx, conn)
}

func newControl(ctx context.Context, conn net.Conn) (*control, error) {
	until, ok := ctx.Deadline()
	if most := time.Now().Add(patience); !ok || until.After(most) {
		until = most
	}
	if err := conn.SetDeadline(until); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return &control{conn, json.NewDecoder(conn), stop}, nil
}

// Close ends the connection.
func (c *control) Close() error {
	c.stop()
	return c.Conn.Close()
}

// call asks for something that has no result.
func (c *control) call(method string, arg any, files ...*os.File) error {
	return c.ask(method, arg, nil, files...)
}

func (c *control) ask(method string, arg, result any, files ...*os.File) error {
	data, err := json.Marshal(map[string]any{"method": method, "arg": arg})
	if err != nil {
		return err
	}
	if err := c.send(data, files); err != nil {
		return err
	}
	answer := struct {
		Success bool
		Err     string
		Result  any
	}{Result: result}
	if err := c.answers.Decode(&answer); err != nil {
		return err
	}
	if !answer.Success {
		return errors.New("the sandbox answers: " + answer.Err)
	}
	return nil
}

// send writes a call. The files go with its first bytes.
func (c *control) send(data []byte, files []*os.File) error {
	if socket, ok := c.Conn.(*net.UnixConn); ok && len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		n, _, err := socket.WriteMsgUnix(data, unix.UnixRights(fds...), nil)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	_, err := c.Write(data)
	return err
}
