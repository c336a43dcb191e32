package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/berth-ecs/berth/test/rounds"
)

// load calls the region from several workers, each call at a server that is drawn. What a worker was last answered of an object of its own is what
// every server must say of it.
type load struct {
	w       *world
	ops     atomic.Int64
	news    chan struct{} // another operation; buffered
	ctx     context.Context
	stop    context.CancelFunc
	workers sync.WaitGroup
}

const (
	pace     = 150 // the longest wait of a worker between two operations
	patience = 6 * time.Second
)

func (w *world) startLoad(seed uint64, round int) *load {
	l := &load{w: w, news: make(chan struct{}, 1)}
	l.ctx, l.stop = context.WithCancel(w.t.Context())
	for n, step := range []func(*rand.Rand){l.serviceStep, l.taskStep} {
		r := rounds.Source(seed, round, uint64(10+n))
		l.workers.Go(func() {
			for l.ctx.Err() == nil {
				step(r)
				rounds.Wait(l.ctx, rounds.Millis(r, 0, pace))
			}
		})
	}
	return l
}

// until waits until the load has begun n more operations, for a while.
func (l *load) until(n int, most time.Duration) {
	ctx, cancel := context.WithTimeout(l.ctx, most)
	defer cancel()
	for goal := l.ops.Load() + int64(n); l.ops.Load() < goal; {
		select {
		case <-l.news:
		case <-ctx.Done():
			return
		}
	}
}

// end lets the workers finish what they began. What they began they bring to an answer.
func (l *load) end() {
	l.stop()
	l.workers.Wait()
}

// answer is what became of a call.
type answer int

const (
	acknowledged answer = iota
	refused             // with an error of the API: nothing was changed
	lost                // nobody knows whether it happened
)

var retries = retry.IsErrorRetryables(retry.DefaultRetryables)

// call makes one call at one of the servers. A lost answer has an excuse only while something is the matter, and is one that SDKs try again.
func (l *load) call(what string, r *rand.Rand, f func(context.Context, *ecs.Client) error) (answer, error) {
	l.ops.Add(1)
	select {
	case l.news <- struct{}{}:
	default:
	}
	before := l.w.trouble.Load()
	at := r.IntN(len(l.w.api))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), patience)
	defer cancel()
	err := f(ctx, l.w.api[at])
	var api smithy.APIError
	switch isAPI := errors.As(err, &api); {
	case err == nil:
		return acknowledged, nil
	case isAPI && api.ErrorFault() != smithy.FaultServer && api.ErrorCode() != "ServerException":
		return refused, err
	case ctx.Err() == nil && retries.IsErrorRetryable(err) != aws.TrueTernary:
		l.w.book.find("%s: an error that no SDK tries again: %v", what, err)
	}
	if before%2 == 0 && l.w.trouble.Load() == before {
		l.w.book.find("%s at server %d failed though nothing was the matter: %v", what, at, err)
	}
	return lost, err
}

// must repeats a call until it is answered. It is for calls that may be made twice.
func (l *load) must(what string, r *rand.Rand, f func(context.Context, *ecs.Client) error) error {
	for begun := time.Now(); ; {
		got, err := l.call(what, r, f)
		if got != lost {
			return err
		}
		if time.Since(begun) > tooLong {
			return fmt.Errorf("%s was not answered for a minute: %w", what, err)
		}
		rounds.Wait(context.WithoutCancel(l.ctx), 50*time.Millisecond)
	}
}

const tooLong = time.Minute

// taskStep runs tasks that end by themselves, or one that stays, or stops one that stayed.
func (l *load) taskStep(r *rand.Rand) {
	stay := l.w.book.running()
	switch dice := r.IntN(10); {
	case dice < 4:
		code := int32(r.IntN(100))
		l.run(r, wish{exit: &code}, &ecs.RunTaskInput{
			TaskDefinition: aws.String(exitFamily), Count: aws.Int32(int32(rounds.Between(r, 1, 2))), Overrides: &types.TaskOverride{
				ContainerOverrides: []types.ContainerOverride{{Name: aws.String("main"), Environment: []types.KeyValuePair{
					{Name: aws.String("CODE"), Value: aws.String(strconv.Itoa(int(code)))},
					{Name: aws.String("WAIT"), Value: aws.String(strconv.Itoa(r.IntN(1_000_000)))},
				}}},
			},
		})
	case dice < 8 && len(stay) < 4:
		l.run(r, wish{}, &ecs.RunTaskInput{TaskDefinition: aws.String([]string{webFamily, vpcFamily, vpcFamily}[r.IntN(3)])})
	case len(stay) > 0:
		l.stopTask(r, stay[r.IntN(len(stay))])
	}
}

// run asks until there is an answer; the token makes that one RunTask.
func (l *load) run(r *rand.Rand, as wish, in *ecs.RunTaskInput) {
	of := aws.ToString(in.TaskDefinition)
	in.NetworkConfiguration, in.ClientToken = l.w.network(of), aws.String(fmt.Sprintf("run-%016x", r.Uint64()))
	var out *ecs.RunTaskOutput
	err := l.must("RunTask "+of, r, func(ctx context.Context, c *ecs.Client) (err error) { out, err = c.RunTask(ctx, in); return err })
	if err != nil {
		l.w.book.find("RunTask %s: %v", of, err)
		return
	}
	for _, t := range out.Tasks {
		l.w.book.setTask(aws.ToString(t.TaskArn), as)
	}
	for _, f := range out.Failures { // nodes whose agents are away take no tasks; that is an answer
		if reason := aws.ToString(f.Reason); reason != "AGENT" && !strings.HasPrefix(reason, "RESOURCE:") {
			l.w.book.find("RunTask %s failed: %s %s", of, reason, aws.ToString(f.Detail))
		}
	}
}

func (l *load) stopTask(r *rand.Rand, arn string) {
	err := l.must("StopTask", r, func(ctx context.Context, c *ecs.Client) error {
		_, err := c.StopTask(ctx, &ecs.StopTaskInput{Task: aws.String(arn), Reason: aws.String("the load says so")})
		return err
	})
	if err != nil {
		l.w.book.find("StopTask %s: %v", arn, err)
		return
	}
	l.w.book.setTask(arn, wish{stop: true})
}
