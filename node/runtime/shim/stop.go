package shim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	shimapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/ttrpc"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/daemon"
)

// Stop ends the task's shim, which must have no containers left, and removes its directory.
func (c Config) Stop(ctx context.Context, task string) error {
	dir := c.Path(task)
	if _, err := os.Lstat(dir); err != nil {
		return nil // it never began
	}
	defer failpoint.Around(failpoint.StopShim)()
	text, _ := os.ReadFile(filepath.Join(dir, AddressFile))
	var err error
	if address, ok := c.Answering(task); ok {
		err = shut(ctx, task, address)
	} else {
		// We may have been killed between its start and the note of where it listens.
		err = errors.Join(c.Kill(task), removeSocket(string(text)))
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

func shut(ctx context.Context, task, address string) error {
	conn, err := Dial(ctx, address)
	if err == nil {
		if err := askToEnd(ctx, conn, task); err != nil {
			return fmt.Errorf("shim of task %s: %w", task, err)
		}
	}
	return removeSocket(address)
}

// Dial connects to the shim at address.
func Dial(ctx context.Context, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(address, scheme))
}

// removeSocket removes what a shim listened on; "" is nothing.
func removeSocket(address string) error {
	if address == "" {
		return nil
	}
	if err := os.Remove(strings.TrimPrefix(address, scheme)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func askToEnd(ctx context.Context, conn net.Conn, task string) error {
	c := ttrpc.NewClient(conn)
	defer func() { _ = c.Close() }() // a connection
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	api := shimapi.NewTTRPCTaskClient(c)
	info, err := api.Connect(ctx, &shimapi.ConnectRequest{ID: task})
	if err != nil {
		if errors.Is(err, ttrpc.ErrClosed) {
			return nil // it was ending already
		}
		return err
	}
	p, err := daemon.OpenProcess(int(info.ShimPid))
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // a handle
	_, err = api.Shutdown(ctx, &shimapi.ShutdownRequest{ID: task, Now: true})
	if err == nil || errors.Is(err, ttrpc.ErrClosed) {
		err = p.Wait(ctx)
	}
	if err == nil {
		return nil
	}
	if kerr := p.Signal(syscall.SIGKILL); kerr != nil && !errors.Is(kerr, syscall.ESRCH) {
		return errors.Join(err, kerr)
	}
	return nil
}
