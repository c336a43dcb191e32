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

var retry = backoff.Policy{First: time.Second, Most: 30 * time.Second, Factor: 1.3, Jitter: 0.2}

// Reporter sends reports.
type Reporter struct {
	Source  Source       // required
	Server  Submitter    // required
	Cluster string       // required; as the node is configured
	Log     *slog.Logger // required

	busy map[string]int // task -> tries so far
}

// result is the end of one try.
type result struct {
	task  string
	again bool
}

// Run reports until ctx ends.
func (r *Reporter) Run(ctx context.Context) error {
	news := r.Source.Subscribe()
	r.busy = map[string]int{}
	done := make(chan result)
	tries := map[string]int{}
	for {
		r.send(ctx, tries, done)
		select {
		case <-ctx.Done():
			for range r.busy {
				<-done
			}
			return ctx.Err()
		case <-news:
		case got := <-done:
			delete(r.busy, got.task)
			if got.again {
				tries[got.task]++
			} else {
				delete(tries, got.task)
			}
		}
	}
}

// send begins a try for every task that has news and none under way.
func (r *Reporter) send(ctx context.Context, tries map[string]int, done chan<- result) {
	if len(r.busy) >= maxInFlight || ctx.Err() != nil {
		return
	}
	for _, c := range r.Source.Pending() {
		if _, busy := r.busy[c.TaskARN]; busy || len(r.busy) >= maxInFlight {
			continue
		}
		n := tries[c.TaskARN]
		r.busy[c.TaskARN] = n
		go func() { done <- result{c.TaskARN, r.try(ctx, c, n)} }()
	}
}

// try submits a report once. It answers whether it must be tried again, after the wait for that.
func (r *Reporter) try(ctx context.Context, c engine.Change, n int) (again bool) {
	c.Request.Cluster = aws.Ptr(r.Cluster)
	callCtx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := r.Server.SubmitTaskStateChange(callCtx, c.Request)
	var refused *aws.Error
	switch {
	case err == nil:
	case errors.As(err, &refused) && refused.Code == shape.CodeInvalidParameterException:
		r.Log.Error("the server refused a report; it is dropped", "task", c.TaskARN, "error", err)
	default:
		r.Log.Warn("cannot report; will try again", "task", c.TaskARN, "status", aws.Val(c.Request.Status), "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retry.Wait(n, rand.Float64())): //nolint:gosec // jitter
		}
		return true
	}
	r.Source.Acknowledged(c)
	return false
}
