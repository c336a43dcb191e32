package session

import (
	"slices"
	"time"
)

// Outbox remembers, for one control session, which version of which task was
// sent and what the agent acknowledged. A task's version is the store revision
// of the change that asked for it. The zero Outbox is ready to use; it is not
// safe for concurrent use.
//
// Guarantees: a version is offered until it is acknowledged, and again only
// after Overdue says so; an older version than one already sent is never
// offered; forgetting a task makes the next version of it new.
type Outbox struct {
	tasks    map[string]*delivery
	messages map[string]string // message id → task, of what is not acknowledged
}

type delivery struct {
	seq     int64
	message string
	sentAt  time.Time
	acked   bool
}

// Wants answers whether this version of the task must be sent now.
func (o *Outbox) Wants(task string, seq int64) bool {
	d, ok := o.tasks[task]
	return !ok || seq > d.seq
}

// Sent notes that a version was sent in a message.
func (o *Outbox) Sent(task string, seq int64, message string, now time.Time) {
	if o.tasks == nil {
		o.tasks, o.messages = make(map[string]*delivery), make(map[string]string)
	}
	if d, ok := o.tasks[task]; ok {
		delete(o.messages, d.message)
	}
	o.tasks[task] = &delivery{seq: seq, message: message, sentAt: now}
	o.messages[message] = task
}

// Ack notes the agent's acknowledgement of a message. It answers false for a
// message that is not, or no longer, awaited.
func (o *Outbox) Ack(message string) bool {
	task, ok := o.messages[message]
	if !ok {
		return false
	}
	delete(o.messages, message)
	o.tasks[task].acked = true
	return true
}

// Forget drops what is known of a task.
func (o *Outbox) Forget(task string) {
	if d, ok := o.tasks[task]; ok {
		delete(o.messages, d.message)
		delete(o.tasks, task)
	}
}

// Overdue forgets and answers, sorted, the tasks whose last version was sent
// before the given time and is not acknowledged: they are to be sent again.
func (o *Outbox) Overdue(before time.Time) []string {
	var out []string
	for task, d := range o.tasks {
		if !d.acked && d.sentAt.Before(before) {
			out = append(out, task)
		}
	}
	slices.Sort(out)
	for _, task := range out {
		o.Forget(task)
	}
	return out
}

// Waiting is the number of versions that are sent and not acknowledged.
func (o *Outbox) Waiting() int { return len(o.messages) }
