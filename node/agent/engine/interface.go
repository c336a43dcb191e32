package engine

import (
	"context"
	"errors"
	"time"

	"github.com/berth-ecs/berth/node/agent/pending"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/network"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// The interface of a task in awsvpc comes with the node's configuration, on another socket than the task. What a task needs beside it is made
// meanwhile; its first container waits for it.

// attachPatience is how long an interface may take to come.
const attachPatience = 5 * time.Minute

// notAttachedInTime is AWS's reason of a task whose interface did not come.
const notAttachedInTime = "Timeout waiting for network interface provisioning to complete."

// announceAfter is how soon the server hears of an interface that is up while its task does not run yet. Most tasks run sooner, and one report
// says both.
const announceAfter = 2 * time.Second

// errNotAttached is why a container was not made; the task says why.
var errNotAttached = errors.New("the task's network interface is not there")

// attachment is the wait for a task's interface.
type attachment struct {
	*pending.Work
	cancel func()
}

// attach begins the wait for t's interface, or joins it; nil for a task that has none.
func (e *Engine) attach(t *Task) *attachment {
	if t.Plan.Interface == nil || t.attaching != nil {
		return t.attaching
	}
	a, id := &attachment{Work: pending.New()}, t.Plan.Interface.ID
	t.attaching = a
	a.cancel = e.spawn(attachPatience, func(ctx context.Context) {
		err := e.cfg.Interfaces.Wait(ctx, id)
		late := errors.Is(ctx.Err(), context.DeadlineExceeded)
		e.update(func() {
			if err != nil {
				e.notAttached(t, err, late)
				err = errNotAttached
			} else {
				e.attached(t)
			}
			a.End(err)
		})
	})
	return a
}

// attached notes that t's interface is up. The server hears of it with what comes next, or soon.
func (e *Engine) attached(t *Task) {
	t.Attached = true
	if t.Reported.Attached {
		return
	}
	time.AfterFunc(announceAfter, func() {
		e.update(func() {
			if !t.Ran && !t.Stop && !t.Reported.Attached && e.ctx.Err() == nil {
				t.announce = true
				e.changed(t)
			}
		})
	})
}

// notAttached ends a task whose interface did not come.
func (e *Engine) notAttached(t *Task, err error, late bool) {
	if t.Stop || e.ctx.Err() != nil {
		return
	}
	e.log.Warn("no network interface", "task", t.ARN, "interface", t.Plan.Interface.ID, "error", err)
	t.Reason = "ResourceInitializationError: unable to attach network interface " + t.Plan.Interface.ID + ": " + err.Error()
	if late {
		t.Reason = notAttachedInTime
	}
	t.attaching = nil // it is over: nothing is left to cancel
	e.stop(t)
}

// interfaceOf is what t's containers share; nothing for a task without an interface of its own.
func (e *Engine) interfaceOf(t *Task) network.Endpoint {
	i := t.Plan.Interface
	if i == nil {
		return network.Endpoint{}
	}
	return network.Endpoint{
		ID: i.ID, Mode: network.Mode(plan.AwsVpc), Netns: e.cfg.Interfaces.Netns(i.ID),
		Address: i.Addresses[0], Gateway: i.Gateway.Addr(), MAC: i.MAC,
	}
}

// attached is the report that t's interface is up, and nothing else yet.
func (t *Task) attached() Change {
	out := Change{TaskARN: t.ARN, Request: &shape.SubmitTaskStateChangeRequest{Task: aws.Ptr(t.ARN)}, after: t.Reported}
	t.attachments(&out)
	return out
}

// attachments adds to a report that the interface is up, if the server does not know.
func (t *Task) attachments(c *Change) {
	c.after.Attached = t.Reported.Attached
	if t.Attached && !t.Reported.Attached {
		c.after.Attached = true
		c.Request.Attachments = []shape.AttachmentStateChange{{
			AttachmentArn: aws.Ptr(t.Plan.Interface.AttachmentARN), Status: aws.Ptr("ATTACHED"),
		}}
	}
}
