package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/agent/engine"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// source has a list of statuses to report of each task.
type source struct {
	mu   sync.Mutex
	left map[string][]string
	news chan struct{}
}

func (s *source) Subscribe() <-chan struct{} { return s.news }

func (s *source) Pending() []engine.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []engine.Change
	for arn, left := range s.left {
		if len(left) > 0 {
			out = append(out, engine.Change{TaskARN: arn, Request: &shape.SubmitTaskStateChangeRequest{
				Task: aws.Ptr(arn), Status: aws.Ptr(left[0]),
			}})
		}
	}
	return out
}

func (s *source) Acknowledged(c engine.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[c.TaskARN] = s.left[c.TaskARN][1:]
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// server answers a task's calls with its errors, one after the other, and takes them then.
type server struct {
	mu    sync.Mutex
	start time.Time
	fails map[string][]error
	slow  time.Duration
	calls []string
	now   int
	most  int
}

func (s *server) SubmitTaskStateChange(ctx context.Context, in *shape.SubmitTaskStateChangeRequest) error {
	s.mu.Lock()
	if s.now++; s.now > s.most {
		s.most = s.now
	}
	arn := aws.Val(in.Task)
	s.calls = append(s.calls, fmt.Sprintf("%s %s of %s", arn, aws.Val(in.Status), aws.Val(in.Cluster)))
	var err error
	if f := s.fails[arn]; len(f) > 0 {
		err, s.fails[arn] = f[0], f[1:]
	}
	s.mu.Unlock()
	select {
	case <-time.After(s.slow):
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
	return err
}

func reporting(t *testing.T, src *source, srv *server, wait time.Duration) []string {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		src.news = make(chan struct{}, 1)
		srv.start = time.Now()
		r := &Reporter{Source: src, Server: srv, Cluster: "c", Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(wait)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return srv.calls
}

func TestOrderAndRetry(t *testing.T) {
	src := &source{left: map[string][]string{"a": {"RUNNING", "STOPPED"}}}
	srv := &server{fails: map[string][]error{"a": {errors.New("no route"), &aws.Error{Code: shape.CodeServerException}}}}
	want := []string{"a RUNNING of c", "a RUNNING of c", "a RUNNING of c", "a STOPPED of c"}
	if diff := cmp.Diff(want, reporting(t, src, srv, time.Minute)); diff != "" {
		t.Error(diff)
	}
}

func TestInvalidReportsAreDropped(t *testing.T) {
	src := &source{left: map[string][]string{"a": {"RUNNING", "STOPPED"}}}
	srv := &server{fails: map[string][]error{"a": {fmt.Errorf("call: %w", &aws.Error{Code: shape.CodeInvalidParameterException})}}}
	if diff := cmp.Diff([]string{"a RUNNING of c", "a STOPPED of c"}, reporting(t, src, srv, time.Second)); diff != "" {
		t.Error(diff)
	}
}

func TestOneTaskDoesNotHoldUpAnother(t *testing.T) {
	src := &source{left: map[string][]string{"a": {"RUNNING"}, "b": {"RUNNING", "STOPPED"}}}
	srv := &server{fails: map[string][]error{"a": slices.Repeat([]error{errors.New("x")}, 1000)}}
	calls := reporting(t, src, srv, 100*time.Millisecond)
	if !slices.Contains(calls, "b STOPPED of c") {
		t.Errorf("calls %q", calls)
	}
}

// The tasks that wait for another try are no calls: they leave the ten to those who have news.
func TestWaitingTasksHoldUpNobody(t *testing.T) {
	src := &source{left: map[string][]string{"b": {"RUNNING", "STOPPED"}}}
	srv := &server{fails: map[string][]error{}}
	for i := range 3 * maxInFlight {
		arn := strconv.Itoa(i)
		src.left[arn] = []string{"RUNNING"}
		srv.fails[arn] = slices.Repeat([]error{errors.New("x")}, 1000)
	}
	if calls := reporting(t, src, srv, 100*time.Millisecond); !slices.Contains(calls, "b STOPPED of c") {
		t.Errorf("calls %q", calls)
	}
}

func TestAtMostTenAtOnce(t *testing.T) {
	src := &source{left: map[string][]string{}}
	for i := range 40 {
		src.left[strconv.Itoa(i)] = []string{"RUNNING"}
	}
	srv := &server{slow: time.Second}
	if calls := reporting(t, src, srv, 10*time.Second); len(calls) != 40 || srv.most != maxInFlight {
		t.Errorf("%d calls, %d at once", len(calls), srv.most)
	}
}
