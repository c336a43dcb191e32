package runtime

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
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
	maxExecOutput = 4 << 10
	execStart     = 10 * time.Second // for what is not the program's own time
	execGrace     = time.Second      // for output that comes after the end
)

// ErrExecTimeout is wrapped when an exec ran longer than it may.
var ErrExecTimeout = errors.New("timed out")

// execSpecs remembers the process of each container, whose environment, user,
// directory and limits an exec has.
type execSpecs struct {
	mu sync.Mutex
	m  map[string]*specs.Process
}

func (e *execSpecs) forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.m, id)
}

func (r *Runtime) execSpec(ctx context.Context, id string) (specs.Process, error) {
	r.execs.mu.Lock()
	p := r.execs.m[id]
	r.execs.mu.Unlock()
	if p != nil {
		return *p, nil
	}
	c, err := r.cd.ContainerService().Get(ctx, id)
	if errdefs.IsNotFound(err) {
		return specs.Process{}, notFound(id)
	}
	if err != nil {
		return specs.Process{}, err
	}
	var s specs.Spec
	if err := json.Unmarshal(c.Spec.GetValue(), &s); err != nil {
		return specs.Process{}, fmt.Errorf("specification of %s: %w", id, err)
	}
	r.execs.mu.Lock()
	defer r.execs.mu.Unlock()
	if r.execs.m == nil {
		r.execs.m = map[string]*specs.Process{}
	}
	r.execs.m[id] = s.Process
	return *s.Process, nil
}

// Exec runs args in a container with its environment, user and directory, and
// answers the exit code and the first 4 KB of output and errors together. What
// runs longer than timeout is killed: ErrExecTimeout.
func (r *Runtime) Exec(ctx context.Context, id string, args []string, timeout time.Duration) (code int, output []byte, err error) {
	p, err := r.execSpec(ctx, id)
	if err != nil {
		return 0, nil, named(CannotInspectContainerError, err)
	}
	p.Args, p.Terminal = args, false
	e := &execution{r: r, container: id, id: "exec-" + rand.Text()}
	code, err = e.run(ctx, p, timeout)
	return code, e.out.bytes(), named(CannotInspectContainerError, err)
}

// execution is one exec from its making to its removal.
type execution struct {
	r             *Runtime
	container, id string
	out           cappedBuffer
}

func (e *execution) run(ctx context.Context, p specs.Process, timeout time.Duration) (code int, err error) {
	dir := e.r.c.execDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	io, err := cio.NewCreator(cio.WithStreams(nil, &e.out, &e.out), cio.WithFIFODir(dir))(e.id)
	if err != nil {
		return 0, err
	}
	defer func() { _ = io.Close() }() // what was said is in e.out
	document, err := typeurl.MarshalAny(&p)
	if err != nil {
		return 0, err
	}
	svc := e.r.cd.TaskService()
	_, err = svc.Exec(ctx, &tasks.ExecProcessRequest{
		ContainerID: e.container, ExecID: e.id, Spec: typeurl.MarshalProto(document),
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
func (e *execution) startAndWait(ctx context.Context, timeout time.Duration) (code int, err error) {
	svc := e.r.cd.TaskService()
	sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), execStart)
	defer cancel()
	if _, err := svc.Start(sctx, &tasks.StartRequest{ContainerID: e.container, ExecID: e.id}); err != nil {
		return 0, errgrpc.ToNative(err)
	}
	// Not a deadline: gRPC would tell containerd of it, whose clock may end the call first, with an error that says less.
	wctx, end := context.WithCancel(ctx)
	defer end()
	clock := time.AfterFunc(timeout, end)
	defer clock.Stop()
	resp, err := svc.Wait(wctx, &tasks.WaitRequest{ContainerID: e.container, ExecID: e.id})
	switch {
	case err == nil:
		return int(resp.ExitStatus), nil
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case wctx.Err() != nil:
		return 0, fmt.Errorf("%w after %v", ErrExecTimeout, timeout)
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
func (e *execution) remove(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), execStart)
	defer cancel()
	svc := e.r.cd.TaskService()
	req := &tasks.DeleteProcessRequest{ContainerID: e.container, ExecID: e.id}
	_, err := svc.DeleteProcess(ctx, req)
	if err = errgrpc.ToNative(err); err == nil || errdefs.IsNotFound(err) {
		return
	}
	_, kerr := svc.Kill(ctx, &tasks.KillRequest{ContainerID: e.container, ExecID: e.id, Signal: uint32(unix.SIGKILL)})
	if kerr == nil {
		_, kerr = svc.Wait(ctx, &tasks.WaitRequest{ContainerID: e.container, ExecID: e.id})
	}
	if kerr == nil {
		_, kerr = svc.DeleteProcess(ctx, req)
	}
	if kerr = errgrpc.ToNative(kerr); kerr != nil && !errdefs.IsNotFound(kerr) {
		e.r.log.Warn("an exec could not be removed", "container", e.container, "error", errors.Join(err, kerr))
	}
}

// cappedBuffer keeps the first bytes and takes the rest without keeping it.
type cappedBuffer struct {
	mu sync.Mutex
	b  []byte
}

func (c *cappedBuffer) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := max(0, maxExecOutput-len(c.b))
	c.b = append(c.b, p[:min(room, len(p))]...)
	return len(p), nil
}

func (c *cappedBuffer) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b
}
