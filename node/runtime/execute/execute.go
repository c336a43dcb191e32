// Package execute runs commands in containers by containerd's exec: the way that always works, and costs a runc.
//
// What is guaranteed: an exec is forgotten by containerd when Run returns, whatever became of it; output is bounded.
package execute

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const (
	execStart = 10 * time.Second // for what is not the program's own time
	execGrace = time.Second      // for output that comes after the end
)

// ErrTimeout is wrapped when an exec ran longer than it may.
var ErrTimeout = errors.New("timed out")

// Exec is one exec from its making to its removal.
type Exec struct {
	Tasks     tasks.TasksClient // required
	Dir       string            // required; of FIFOs
	Container string            // required
	Log       *slog.Logger      // required

	// Out is what the program said, after Run.
	Out Output

	id string
}

// Run runs p and answers its exit code. What runs longer than timeout is killed: ErrTimeout.
func (e *Exec) Run(ctx context.Context, p specs.Process, timeout time.Duration) (code int, err error) {
	e.id = "exec-" + rand.Text()
	dir := e.Dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	io, err := cio.NewCreator(cio.WithStreams(nil, &e.Out, &e.Out), cio.WithFIFODir(dir))(e.id)
	if err != nil {
		return 0, err
	}
	defer func() { _ = io.Close() }() // what was said is in e.Out
	document, err := typeurl.MarshalAny(&p)
	if err != nil {
		return 0, err
	}
	svc := e.Tasks
	_, err = svc.Exec(ctx, &tasks.ExecProcessRequest{
		ContainerID: e.Container, ExecID: e.id, Spec: typeurl.MarshalProto(document),
		Stdout: io.Config().Stdout, Stderr: io.Config().Stderr,
	})
	if err != nil {
		io.Cancel()
		return 0, errgrpc.ToNative(err)
	}
	code, err = e.startAndWait(ctx, timeout)
	// The shim lets an exec go when its output is drained, so reading ends last.
	e.remove(ctx)
	drain(io)
	return code, err
}

// startAndWait gives the program its time. Starting it is not cut off: a start
// that is abandoned half way can neither be waited for nor removed.
func (e *Exec) startAndWait(ctx context.Context, timeout time.Duration) (code int, err error) {
	svc := e.Tasks
	sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), execStart)
	defer cancel()
	if _, err := svc.Start(sctx, &tasks.StartRequest{ContainerID: e.Container, ExecID: e.id}); err != nil {
		return 0, errgrpc.ToNative(err)
	}
	// Not a deadline: gRPC would tell containerd of it, whose clock may end the call first, with an error that says less.
	wctx, end := context.WithCancel(ctx)
	defer end()
	clock := time.AfterFunc(timeout, end)
	defer clock.Stop()
	resp, err := svc.Wait(wctx, &tasks.WaitRequest{ContainerID: e.Container, ExecID: e.id})
	switch {
	case err == nil:
		return int(resp.ExitStatus), nil
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case wctx.Err() != nil:
		return 0, fmt.Errorf("%w after %v", ErrTimeout, timeout)
	}
	return 0, errgrpc.ToNative(err)
}

// drain waits for the last output, but not for a child that went on with the streams.
func drain(io cio.IO) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Wait()
	}()
	t := time.NewTimer(execGrace)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
	io.Cancel()
}

// remove kills what still runs and forgets the exec, whatever became of ctx.
func (e *Exec) remove(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), execStart)
	defer cancel()
	svc := e.Tasks
	req := &tasks.DeleteProcessRequest{ContainerID: e.Container, ExecID: e.id}
	_, err := svc.DeleteProcess(ctx, req)
	if err = errgrpc.ToNative(err); err == nil || errdefs.IsNotFound(err) {
		return
	}
	_, kerr := svc.Kill(ctx, &tasks.KillRequest{ContainerID: e.Container, ExecID: e.id, Signal: uint32(unix.SIGKILL)})
	if kerr == nil {
		_, kerr = svc.Wait(ctx, &tasks.WaitRequest{ContainerID: e.Container, ExecID: e.id})
	}
	if kerr == nil {
		_, kerr = svc.DeleteProcess(ctx, req)
	}
	if kerr = errgrpc.ToNative(kerr); kerr != nil && !errdefs.IsNotFound(kerr) {
		e.Log.Warn("an exec could not be removed", "container", e.Container, "error", errors.Join(err, kerr))
	}
}

// MaxOutput is what is kept of a program's output.
const MaxOutput = 4 << 10

// Output keeps the first bytes and takes the rest without keeping it. The zero value is ready.
type Output struct {
	mu sync.Mutex
	b  []byte
}

// Write implements io.Writer.
func (c *Output) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := max(0, MaxOutput-len(c.b))
	c.b = append(c.b, p[:min(room, len(p))]...)
	return len(p), nil
}

// Bytes are what was kept.
func (c *Output) Bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b
}
