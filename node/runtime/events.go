package runtime

import (
	"context"
	"fmt"
	"time"

	apievents "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/typeurl/v2"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/node/runtime/again"
)

const (
	topicExit  = "/tasks/exit"
	topicProbe = "/berth/probe"
	maxQueued  = 4096
	probeEvery = 25 * time.Millisecond
)

// Events follows exits until ctx ends; then the channel closes. The first event
// is a Gap, and another comes whenever containerd was away or the receiver was
// too slow: what happened before a Gap must be read with List, what happens
// after it comes as events. An exit may be told twice.
func (r *Runtime) Events(ctx context.Context) <-chan Event {
	out := make(chan Event)
	f := &follower{r: r, out: out}
	go func() {
		defer close(out)
		for ctx.Err() == nil {
			f.stream(ctx)
		}
	}()
	return out
}

// follower is one receiver of Events.
type follower struct {
	r     *Runtime
	out   chan<- Event
	queue []Event
}

// stream follows one subscription until it breaks. A subscription stands only
// some time after it was asked for, so a probe is published until it comes back;
// from then on nothing is missed.
func (f *follower) stream(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ns := f.r.c.Name
	in, errs := f.r.cd.EventService().Subscribe(ctx,
		fmt.Sprintf("namespace==%s,topic==%q", ns, topicExit), fmt.Sprintf("namespace==%s,topic==%q", ns, topicProbe))
	probe := time.NewTicker(probeEvery)
	defer probe.Stop()
	stands := false
	for {
		var out chan<- Event
		var head Event
		if len(f.queue) > 0 {
			out, head = f.out, f.queue[0]
		}
		select {
		case <-ctx.Done():
			return
		case <-errs: //nolint:errcheck // whatever ended the watch, the next one begins with a look at everything
			again.Pause(ctx, probeEvery)
			return
		case out <- head:
			f.queue = f.queue[1:]
		case <-probe.C:
			if stands {
				probe.Stop()
				continue
			}
			f.probe(ctx)
		case e := <-in:
			if e.Topic == topicProbe {
				if !stands {
					stands = true
					f.push(Event{Gap: true})
				}
				continue
			}
			f.exit(ctx, e)
		}
	}
}

func (f *follower) probe(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := f.r.cd.EventService().Publish(ctx, topicProbe, &apievents.TaskPaused{})
	if err != nil {
		f.r.log.Debug("event stream: containerd is away", "error", err)
	}
}

func (f *follower) exit(ctx context.Context, e *events.Envelope) {
	v, err := typeurl.UnmarshalAny(e.Event)
	if err != nil {
		f.push(Event{Gap: true})
		return
	}
	exit, ok := v.(*apievents.TaskExit)
	if !ok || exit.ID != exit.ContainerID || !containerIDRule.MatchString(exit.ContainerID) {
		return // of an exec, or not ours
	}
	if !f.r.started().Has(exit.ContainerID) || f.r.launch(exit.ContainerID).CutOff(exit.ExitStatus) {
		return // it is made anew
	}
	// A shim tells late what containerd was not there to hear: it may be of a process that was made anew since.
	if p, err := f.r.process(ctx, exit.ContainerID); err == nil && p != nil && p.Pid != exit.Pid && p.Pid != 0 {
		return
	}
	code := f.r.exitCode(exit.ContainerID, exit.ExitStatus)
	oom, err := f.r.oomKilled(exit.ContainerID, code)
	if err != nil {
		f.r.log.Warn("memory events of a container", "container", exit.ContainerID, "error", err)
	}
	f.push(Event{ID: exit.ContainerID, ExitCode: code, At: clock.Of(exit.ExitedAt.AsTime()), OOMKilled: oom})
}

// push queues e; a receiver that is far behind gets one Gap for all.
func (f *follower) push(e Event) {
	if len(f.queue) >= maxQueued {
		f.queue = []Event{{Gap: true}}
		return
	}
	f.queue = append(f.queue, e)
}
