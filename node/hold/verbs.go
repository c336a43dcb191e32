package hold

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/berth-ecs/berth/internal/failpoint"
)

// Open makes the FIFOs of a container ("<taskID>-<n>") whose output goes to the
// log of the container called name of that task. It is idempotent.
func (k *Client) Open(ctx context.Context, container, name string) (FIFOs, error) {
	defer failpoint.Around(failpoint.OpenOutput)()
	a, _, err := k.call(ctx, request{Op: opOpen, Container: container, Name: name}, nil)
	if err != nil {
		return FIFOs{}, err
	}
	return FIFOs{Stdout: a.Stdout, Stderr: a.Stderr}, k.guards.add(filepath.Dir(a.Stdout))
}

// Close ends a container's output; call it after the exit. It returns when
// everything the container wrote is on disk, or at ctx's deadline (10 s without
// one) when something still holds the output open. It is idempotent.
func (k *Client) Close(ctx context.Context, container string) error {
	defer failpoint.Around(failpoint.CloseOutput)()
	wait := closeWait
	if at, ok := ctx.Deadline(); ok {
		wait = max(0, time.Until(at)*9/10) // the answer takes time too
	}
	_, _, err := k.call(ctx, request{Op: opClose, Container: container, WaitMS: wait.Milliseconds()}, nil)
	k.guards.remove(container)
	return err
}

// Log makes a FIFO for the log of a task's shim; somebody always reads it.
func (k *Client) Log(ctx context.Context, id string) (path string, err error) {
	a, _, err := k.call(ctx, request{Op: opLog, ID: id}, nil)
	return a.Path, err
}

// LogDone ends what Log began.
func (k *Client) LogDone(ctx context.Context, id string) error {
	_, _, err := k.call(ctx, request{Op: opLogDone, ID: id}, nil)
	return err
}

// Remove removes the logs of a task.
func (k *Client) Remove(ctx context.Context, taskID string) error {
	_, _, err := k.call(ctx, request{Op: opRemove, Task: taskID}, nil)
	return err
}

// call asks, and asks again when hold died meanwhile: every request may be
// repeated.
func (k *Client) call(ctx context.Context, req request, f *os.File) (answer, *os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, maxCloseWait)
	defer cancel()
	for {
		a, got, err := k.ask(ctx, req, f)
		if err == nil && a.Version != Version {
			err = errVersion
		}
		if !away(err) || !pause(ctx, retryDelay) {
			return a, got, err
		}
	}
}

// away tells a process that is gone from one that refused.
func away(err error) bool {
	for _, e := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, os.ErrNotExist, errBroken} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

var errBroken = errors.New("hold: the conversation broke off")

func (k *Client) ask(ctx context.Context, req request, f *os.File) (answer, *os.File, error) {
	conn, err := k.dial(ctx)
	if err != nil {
		return answer{}, nil, err
	}
	defer conn.Close()
	if req.Version == 0 {
		req.Version = Version
	}
	return converse(ctx, conn, req, f)
}

func (k *Client) dial(ctx context.Context) (*net.UnixConn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unixpacket", k.c.socket())
	if err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	return conn.(*net.UnixConn), nil //nolint:forcetypeassert // of that network
}

func converse(ctx context.Context, conn *net.UnixConn, req request, f *os.File) (answer, *os.File, error) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // closed is as good
	defer stop()
	var a answer
	if err := send(conn, req, f); err != nil {
		return a, nil, fmt.Errorf("hold: %s: %w", req.Op, err)
	}
	got, err := receive(conn, &a)
	switch {
	case ctx.Err() != nil:
		return a, got, fmt.Errorf("hold: %s: %w", req.Op, ctx.Err())
	case err != nil:
		return a, got, fmt.Errorf("hold: %s: %w", req.Op, errors.Join(errBroken, err))
	case a.Error != "":
		return a, got, errors.New(a.Error)
	}
	return a, got, nil
}
