package hold

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// FIFOs of a container's output.
type FIFOs struct{ Stdout, Stderr string }

// Client talks to the process and starts it again when it dies. Its methods may
// be called from many goroutines; while the process is away they wait.
type Client struct {
	c      Config
	cancel context.CancelFunc
	done   chan struct{}

	guards guards

	mu   sync.Mutex
	kept map[string]*os.File // listening sockets, to hand over again
	pid  int
}

const (
	startTimeout = 10 * time.Second
	retryDelay   = 20 * time.Millisecond
	closeWait    = 10 * time.Second
)

// Start adopts the running hold of this version, or starts one, and watches it
// until Stop.
func Start(ctx context.Context, c Config) (*Client, error) {
	c, err := c.check()
	if err != nil {
		return nil, err
	}
	if c.Exe == "" {
		return nil, errors.New("hold: Config.Exe is required")
	}
	if c.Args == nil {
		c.Args = []string{"hold"}
	}
	for _, dir := range []string{c.RunDir, c.DataDir} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return nil, err
		}
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	k := &Client{c: c, cancel: cancel, done: make(chan struct{}), kept: map[string]*os.File{}}
	conn, err := k.insist(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	if err := k.guards.addAll(c.fifoDir()); err != nil {
		cancel()
		return nil, errors.Join(err, conn.Close())
	}
	go k.supervise(life, conn)
	return k, nil
}

// startTries are those of a first start: a process that is killed while it starts is no reason to have no node.
const startTries = 3

// insist is ensure, tried again.
func (k *Client) insist(ctx context.Context) (conn *net.UnixConn, err error) {
	for range startTries {
		if conn, err = k.ensure(ctx); err == nil || !pause(ctx, retryDelay) {
			break
		}
	}
	return conn, err
}

// Stop ends the watching; hold runs on.
func (k *Client) Stop() {
	k.cancel()
	<-k.done
	k.guards.removeAll()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.kept {
		f.Close()
	}
	clear(k.kept)
}

// Shutdown ends hold itself and removes its FIFOs (berth down). The logs stay.
func (k *Client) Shutdown(ctx context.Context) error {
	k.Stop()
	if err := k.replace(ctx); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(k.c.fifoDir()), os.RemoveAll(k.c.socket()), os.RemoveAll(k.c.lockFile()))
}

// Pid is the process's.
func (k *Client) Pid() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.pid
}

// supervise sees the connection break when hold ends, and starts it again.
func (k *Client) supervise(ctx context.Context, conn *net.UnixConn) {
	defer close(k.done)
	for {
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		var b [1]byte
		_, _ = conn.Read(b[:])
		stop()
		conn.Close()
		for {
			if ctx.Err() != nil {
				return
			}
			k.c.Log.Warn("hold ended; starting it again")
			next, err := k.ensure(ctx)
			if err == nil {
				conn = next
				break
			}
			k.c.Log.Error("hold does not start", "error", err)
			if !pause(ctx, retryDelay) {
				return
			}
		}
	}
}

// ensure answers a watching connection to a hold of this version, which has all
// the listening sockets we gave.
func (k *Client) ensure(ctx context.Context) (*net.UnixConn, error) {
	conn, err := k.watch(ctx)
	if errors.Is(err, errVersion) {
		if err := k.inherit(ctx); err != nil {
			k.c.Log.Error("the sockets another version of hold keeps are lost", "error", err)
		}
		if err := k.replace(ctx); err != nil {
			return nil, err
		}
	}
	if err != nil {
		if serr := k.spawn(ctx); serr != nil {
			k.c.Log.Debug("hold was not started by us", "error", serr)
		}
		if conn, err = k.watch(ctx); err != nil {
			return nil, fmt.Errorf("hold: does not answer after its start: %w", err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, f := range k.kept {
		if _, _, err := k.ask(ctx, request{Op: opKeep, Key: key}, f); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

var errVersion = errors.New("hold: another version runs")

func (k *Client) watch(ctx context.Context) (*net.UnixConn, error) {
	a, err := k.hello(ctx)
	if err != nil {
		return nil, err
	}
	if a.Version != Version {
		return nil, errVersion
	}
	conn, err := k.dial(ctx)
	if err != nil {
		return nil, err
	}
	if a, _, err = converse(ctx, conn, request{Version: Version, Op: opWatch}, nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pid = a.Pid
	return conn, nil
}

func (k *Client) hello(ctx context.Context) (answer, error) {
	a, _, err := k.ask(ctx, request{Op: opHello}, nil)
	return a, err
}

// inherit fetches the listening sockets a process of another version keeps.
func (k *Client) inherit(ctx context.Context) error {
	a, err := k.hello(ctx)
	if err != nil {
		return err
	}
	keys, err := allKeys(func(after string) (answer, error) {
		a, _, err := k.ask(ctx, request{Op: opHello, Key: after}, nil)
		return a, err
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		_, f, err := k.ask(ctx, request{Version: a.Version, Op: opListener, Key: key}, nil)
		if err != nil {
			return err
		}
		if f != nil {
			k.keep(key, f)
		}
	}
	return nil
}

// replace asks the running process to end and waits until its lock is free.
func (k *Client) replace(ctx context.Context) error {
	_, _, err := k.ask(ctx, request{Op: opQuit}, nil)
	if err != nil && !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		f, err := lockFile(k.c.lockFile())
		if err == nil {
			return f.Close()
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil // the whole directory is gone
		}
		if !pause(ctx, retryDelay) {
			return fmt.Errorf("hold: the running process does not end: %w", ctx.Err())
		}
	}
}

// spawn starts the process and returns when it listens, or has ended because
// another serves already.
func (k *Client) spawn(ctx context.Context) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	defer w.Close()
	out, err := os.OpenFile(filepath.Join(k.c.DataDir, "hold.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	c := k.c
	c.ReadyFD = 3
	cmd := exec.Command(c.Exe, append(append([]string(nil), c.Args...), c.Flags()...)...) //nolint:noctx // it outlives us
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, "/"
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Spawn(cmd); err != nil {
		return fmt.Errorf("hold: start: %w", err)
	}
	go cmd.Wait() //nolint:errcheck // only reaps; it outlives us or is seen to end by its socket
	w.Close()
	if err := r.SetReadDeadline(time.Now().Add(startTimeout)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { r.Close() })
	defer stop()
	var b [1]byte
	_, _ = r.Read(b[:]) // ends when the other side is closed: ready, or dead
	return nil
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
