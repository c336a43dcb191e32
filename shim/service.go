package main

import (
	"context"
	"sync"

	task "github.com/containerd/containerd/api/runtime/task/v2"
	taskapi "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/pkg/protobuf/types"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"gvisor.dev/gvisor/pkg/shim/v1/extension"
)

// service is gVisor's, with answers that containerd understands.
type service struct {
	extension.TaskServiceExt

	mu      sync.Mutex
	started map[process]bool // until they are deleted
}

// process is a container's first one, or an exec's.
type process struct{ container, exec string }

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

// Start notes what runs.
func (s *service) Start(ctx context.Context, r *task.StartRequest) (*task.StartResponse, error) {
	out, err := s.TaskServiceExt.Start(ctx, r)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.started[process{r.ID, r.ExecID}] = true
	}
	return out, err
}

// State does not say that a process has ended before it can say how: gVisor's service hears of the end and of the exit status at two times.
func (s *service) State(ctx context.Context, r *task.StateRequest) (*task.StateResponse, error) {
	out, err := s.TaskServiceExt.State(ctx, r)
	if err != nil || out.Status != taskapi.Status_STOPPED || !out.ExitedAt.AsTime().IsZero() {
		return out, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started[process{r.ID, r.ExecID}] {
		out.Status = taskapi.Status_RUNNING
	}
	return out, nil
}

// Delete forgets what ran.
func (s *service) Delete(ctx context.Context, r *task.DeleteRequest) (*task.DeleteResponse, error) {
	out, err := s.TaskServiceExt.Delete(ctx, r)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.started, process{r.ID, r.ExecID})
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
