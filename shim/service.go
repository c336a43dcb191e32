package main

import (
	"context"
	"sync"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v2"
	taskapi "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/pkg/protobuf/types"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
	"gvisor.dev/gvisor/pkg/shim/v1/extension"
)

// service is gVisor's, with answers that containerd understands.
type service struct {
	extension.TaskServiceExt

	mu    sync.Mutex
	lives map[process]*life // of processes that were created, until they are deleted
}

// process is a container's first one, or an exec's.
type process struct{ container, exec string }

// life is what State answers of a process that runs. gVisor's service begins a program each time it is asked: on a busy machine that takes
// longer than containerd waits, which then leaves the container out of its list as if there were none.
type life struct {
	state *task.StateResponse
	runs  bool
	begun bool // somebody tried to start it
}

// taskV3 is the name of the task service's third version. Its messages are those of the second.
const taskV3 = "containerd.task.v3.Task"

// RegisterTTRPC implements containerd's interface for services of a shim.
func (s *service) RegisterTTRPC(server *ttrpc.Server) error {
	server.RegisterService(taskV3, &ttrpc.ServiceDesc{Methods: map[string]ttrpc.Method{
		"State": method(s.State), "Create": whole(s.Create), "Start": whole(s.Start), "Delete": whole(s.Delete), "Pids": method(s.Pids),
		"Pause": method(s.Pause), "Resume": method(s.Resume), "Checkpoint": method(s.Checkpoint), "Kill": whole(s.Kill), "Exec": whole(s.Exec),
		"ResizePty": method(s.ResizePty), "CloseIO": method(s.CloseIO), "Update": method(s.Update), "Wait": method(s.Wait),
		"Stats": method(s.Stats), "Connect": method(s.Connect), "Shutdown": method(s.Shutdown),
	}})
	return nil
}

func method[Request, Response any](f func(context.Context, *Request) (*Response, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(any) error) (any, error) {
		r := new(Request)
		if err := unmarshal(r); err != nil {
			return nil, err
		}
		return f(ctx, r)
	}
}

// whole is a method that is carried out to its end, also when containerd, which asked for it, ends meanwhile: gVisor's service knows no
// way back from a start that is cut off.
func whole[Request, Response any](f func(context.Context, *Request) (*Response, error)) ttrpc.Method {
	return method(func(ctx context.Context, r *Request) (*Response, error) { return f(context.WithoutCancel(ctx), r) })
}

// createTime bounds a creation. gVisor's service answers nothing else meanwhile.
const createTime = time.Minute

// Create notes how the container is described.
func (s *service) Create(ctx context.Context, r *task.CreateTaskRequest) (*task.CreateTaskResponse, error) {
	output, err := reachable(r.Stdout, r.Stderr)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	ctx, cancel := context.WithTimeout(ctx, createTime)
	defer cancel()
	out, err := s.TaskServiceExt.Create(ctx, r)
	if err == nil {
		s.born(process{r.ID, ""}, &task.StateResponse{ID: r.ID, Bundle: r.Bundle, Pid: out.Pid, Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal})
	}
	return out, err
}

// Exec notes how the process is described.
func (s *service) Exec(ctx context.Context, r *task.ExecProcessRequest) (*types.Empty, error) {
	out, err := s.TaskServiceExt.Exec(ctx, r)
	if err == nil {
		s.born(process{r.ID, r.ExecID}, &task.StateResponse{ID: r.ExecID, Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal})
	}
	return out, err
}

func (s *service) born(p process, state *task.StateResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lives[p] = &life{state: state}
}

// Start notes what runs, and until when.
func (s *service) Start(ctx context.Context, r *task.StartRequest) (*task.StartResponse, error) {
	s.begin(process{r.ID, r.ExecID})
	output, err := reachable(s.output(r)...)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	out, err := s.TaskServiceExt.Start(ctx, r)
	if err != nil {
		return out, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lives[process{r.ID, r.ExecID}]; l != nil {
		l.state.Pid, l.state.Status, l.runs = out.Pid, taskapi.Status_RUNNING, true
		go s.follow(context.WithoutCancel(ctx), &task.WaitRequest{ID: r.ID, ExecID: r.ExecID}, l)
	}
	return out, err
}

// output is what the start of an exec's process opens; that of a container's is open.
func (s *service) output(r *task.StartRequest) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lives[process{r.ID, r.ExecID}]
	if l == nil || r.ExecID == "" {
		return nil
	}
	return []string{l.state.Stdout, l.state.Stderr}
}

// begin notes an attempt, and says whether it is the first, as far as is known: of a creation that failed gVisor's service may know a
// container, when it fails late, that is not in lives.
func (s *service) begin(p process) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lives[p]
	if l == nil {
		return true
	}
	first := !l.begun
	l.begun = true
	return first
}

// follow waits for the end of a process. It comes with the exit status; gVisor's service hears of the two at two times.
func (s *service) follow(ctx context.Context, r *task.WaitRequest, l *life) {
	_, _ = s.TaskServiceExt.Wait(ctx, r) // what cannot be waited for does not run
	s.mu.Lock()
	defer s.mu.Unlock()
	l.runs = false
}

// State says of a process that it runs until its exit status is known.
func (s *service) State(ctx context.Context, r *task.StateRequest) (*task.StateResponse, error) {
	s.mu.Lock()
	if l := s.lives[process{r.ID, r.ExecID}]; l != nil && l.runs {
		defer s.mu.Unlock()
		return proto.Clone(l.state).(*task.StateResponse), nil //nolint:forcetypeassert // a clone is of the same type
	}
	s.mu.Unlock()
	return s.TaskServiceExt.State(ctx, r)
}

// Delete forgets what ran. gVisor's service waits for the end of the output, for ever where nothing was started: only a start closes the
// pipes. One that fails does it too, and begins nothing. Nobody is told the state of a container meanwhile.
func (s *service) Delete(ctx context.Context, r *task.DeleteRequest) (*task.DeleteResponse, error) {
	if r.ExecID == "" && s.begin(process{r.ID, ""}) {
		over, cancel := context.WithCancel(ctx)
		cancel()
		_, _ = s.TaskServiceExt.Start(over, &task.StartRequest{ID: r.ID})
	}
	out, err := s.TaskServiceExt.Delete(ctx, r)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.lives, process{r.ID, r.ExecID})
	}
	return out, err
}

// Shutdown answers a message in every case: gVisor's answers none while containers are left, and containerd then fails the deletion
// that it asked for it after.
func (s *service) Shutdown(ctx context.Context, r *task.ShutdownRequest) (*types.Empty, error) {
	if _, err := s.TaskServiceExt.Shutdown(ctx, r); err != nil {
		return nil, err
	}
	return &types.Empty{}, nil
}

// publisher never fails: gVisor's service takes a failure for the end, and containerd may be away. What fails is tried again by what it wraps.
type publisher struct {
	containerdshim.Publisher
}

// Publish implements events.Publisher.
func (p publisher) Publish(ctx context.Context, topic string, event events.Event) error {
	if err := p.Publisher.Publish(ctx, topic, event); err != nil {
		log.G(ctx).WithError(err).Warn("containerd was not told of an event yet")
	}
	return nil
}
