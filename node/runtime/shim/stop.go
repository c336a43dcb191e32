package shim

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

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
	if address, ok := c.Answering(task); !ok || !shut(ctx, task, address) {
		// It did not do as it was asked, or we may have been killed between its start and the note of where it listens.
		err = c.Kill(ctx, task)
	}
	if err = errors.Join(err, removeSocket(string(text))); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// shut asks a shim to end, waits for as long as that may take, and reports whether it has ended.
func shut(ctx context.Context, task, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	conn, err := Dial(ctx, address)
	if err != nil {
		return false
	}
	c := ttrpc.NewClient(conn)
	defer func() { _ = c.Close() }() // a connection
	api := shimapi.NewTTRPCTaskClient(c)
	info, err := api.Connect(ctx, &shimapi.ConnectRequest{ID: task})
	if err != nil {
		return false
	}
	p, err := daemon.OpenProcess(int(info.ShimPid))
	if err != nil {
		return false
	}
	defer func() { _ = p.Close() }() // a handle
	_, err = api.Shutdown(ctx, &shimapi.ShutdownRequest{ID: task, Now: true})
	return (err == nil || errors.Is(err, ttrpc.ErrClosed)) && p.Wait(ctx) == nil
}

// askTime is what a shim may take for an answer.
const askTime = 2 * time.Second

// Responds says that the task's shim answers what it knows of a container, or that there is none. It may answer for others and not for one.
func (c Config) Responds(ctx context.Context, task, container string) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	text, err := os.ReadFile(filepath.Join(c.Path(task), AddressFile))
	if err != nil {
		return true
	}
	conn, err := Dial(ctx, string(text))
	if err != nil {
		return ctx.Err() == nil
	}
	client := ttrpc.NewClient(conn)
	defer func() { _ = client.Close() }() // a connection
	_, err = shimapi.NewTTRPCTaskClient(client).State(ctx, &shimapi.StateRequest{ID: container})
	return err == nil || ctx.Err() == nil // a refusal is an answer, and so is its end
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
