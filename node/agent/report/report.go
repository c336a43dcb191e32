// Package report tells the server what became of tasks.
//
// What is guaranteed: the reports of one task arrive in order, each until the server takes it or says that it is invalid;
// nothing is kept here, so a report that was under way when the process died is derived again. A slow task does not
// hold up another one.
package report

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/agent/backoff"
	"github.com/berth-ecs/berth/node/agent/engine"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Source derives reports; the engine is one.
type Source interface {
	Pending() []engine.Change
	Acknowledged(engine.Change)
	Subscribe() <-chan struct{}
}

// Submitter calls the server.
type Submitter interface {
	SubmitTaskStateChange(ctx context.Context, in *shape.SubmitTaskStateChangeRequest) error
}

// maxInFlight is the ECS agent's.
const maxInFlight = 10

// callTimeout bounds one call.
const callTimeout = 30 * time.Second

var retry = backoff.Policy{First: time.Second, Most: backoff.Away, Factor: 1.3, Jitter: 0.2}

// Reporter sends reports.
type Reporter struct {
	Source  Source       // required
	Server  Submitter    // required
	Cluster string       // required; as the node is configured
	Log     *slog.Logger // required

	busy  map[string]bool // tasks whose report is under way, or waits for its next try
	calls int             // under way
	tries map[string]int  // that failed, by task
}

// result is the end of a try, or of the wait after one that failed.
type result struct {
	task   string
	again  bool // it failed
	waited bool
}

// Run reports until ctx ends.
func (r *Reporter) Run(ctx context.Context) error {
	news := r.Source.Subscribe()
	r.busy, r.tries, r.calls = map[string]bool{}, map[string]int{}, 0
	done := make(chan result)
	for {
		r.send(ctx, done)
		select {
		case <-ctx.Done():
			for len(r.busy) > 0 {
				r.note(<-done)
			}
			return ctx.Err()
		case <-news:
		case got := <-done:
			r.note(got)
		}
	}
}

// note keeps the books.
func (r *Reporter) note(got result) {
	if !got.waited {
		r.calls--
	}
	switch {
	case got.waited:
		delete(r.busy, got.task)
	case got.again:
		r.tries[got.task]++
	default:
		delete(r.busy, got.task)
		delete(r.tries, got.task)
	}
}

// send begins a try for every task that has news and none under way. A task that waits for its next try holds up nobody.
func (r *Reporter) send(ctx context.Context, done chan<- result) {
	if r.calls >= maxInFlight || ctx.Err() != nil {
		return
	}
	for _, c := range r.Source.Pending() {
		if r.busy[c.TaskARN] || r.calls >= maxInFlight {
			continue
		}
		r.busy[c.TaskARN] = true
		r.calls++
		n := r.tries[c.TaskARN]
		go func() {
			again := r.try(ctx, c)
			done <- result{task: c.TaskARN, again: again}
			if !again {
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(retry.Wait(n, rand.Float64())): //nolint:gosec // jitter
			}
			done <- result{task: c.TaskARN, waited: true}
		}()
	}
}

// try submits a report once. It answers whether it must be tried again.
func (r *Reporter) try(ctx context.Context, c engine.Change) (again bool) {
	c.Request.Cluster = aws.Ptr(ClusterOf(c.TaskARN, r.Cluster))
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	passed := failpoint.Around(failpoint.Report)
	err := r.Server.SubmitTaskStateChange(ctx, c.Request)
	passed()
	var refused *aws.Error
	switch {
	case err == nil:
	case errors.As(err, &refused) && refused.Code == shape.CodeInvalidParameterException:
		r.Log.Error("the server refused a report; it is dropped", "task", c.TaskARN, "error", err)
	default:
		r.Log.Warn("cannot report; will try again", "task", c.TaskARN, "status", aws.Val(c.Request.Status), "error", err)
		return true
	}
	r.Source.Acknowledged(c)
	failpoint.Hit(failpoint.Acknowledged)
	return false
}
