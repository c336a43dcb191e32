package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/node/agent/health"
	"github.com/berth-ecs/berth/node/runtime"
)

// Lives is what a restart policy did with a container. Its snapshot, ports and output go on from one life to the next, and
// so does its task: to everybody else it has been running all the time.
type Lives struct {
	Restarts    int       `json:",omitzero"`
	RestartedAt time.Time `json:",omitzero"` // when the life began that goes on; zero for the first
	Down        bool      `json:",omitzero"` // a life is over, the next one is about to begin
	LastExit    Exit      `json:",omitzero"` // of the life before
}

// Exit is the end of a life that another one follows.
type Exit struct {
	Code int
	At   time.Time
}

// story is what the server is told of the restarts.
func (l *Lives) story() string {
	times := "times"
	if l.Restarts == 1 {
		times = "time"
	}
	return fmt.Sprintf("Restarted %d %s by its restart policy, last at %s after exit code %d",
		l.Restarts, times, l.RestartedAt.UTC().Format(time.RFC3339), l.LastExit.Code)
}

// Up is when the life of the container began that goes on.
func (c *Container) Up() time.Time {
	if !c.RestartedAt.IsZero() {
		return c.RestartedAt
	}
	return c.StartedAt
}

// heard says that e seems to tell of a life that is known to be over.
func (l *Lives) heard(e runtime.Event) bool {
	return !l.LastExit.At.IsZero() && !e.At.After(l.LastExit.At)
}

// ended is the news that a life of container i is over. Its policy may begin another one, unless the task stops.
func (t *Task) ended(i int, e runtime.Event) {
	c := &t.Containers[i]
	if t.Stop || !t.Plan.Containers[i].Restart.Again(e.ExitCode, e.At.Sub(c.Up())) {
		t.exited(i, e)
		return
	}
	c.Phase, c.Launched = Running, true // what is adopted is not as far yet
	c.Down, c.LastExit = true, Exit{Code: e.ExitCode, At: e.At}
	c.failures, c.retryAt = 0, time.Time{}
}

// restarted is the news that the next life of container i began, and has ended if that came first.
func (t *Task) restarted(i int, at time.Time) {
	c := &t.Containers[i]
	c.Down, c.RestartedAt, c.Health = false, at, health.State{}
	c.Restarts++
	if c.exit != nil {
		e := *c.exit
		c.exit = nil
		t.ended(i, e)
	}
}

// unrevived ends container i, of which no next life begins, as the life before ended. It answers when that was.
func (t *Task) unrevived(i int) time.Time {
	c := &t.Containers[i]
	code := c.LastExit.Code
	c.Down, c.ExitCode = false, &code
	return c.LastExit.At
}

// adoptDown is adopt for a container that was about to be restarted. It may have been, and may have ended since.
func (t *Task) adoptDown(i int, s *runtime.State, now time.Time) {
	c := &t.Containers[i]
	c.Phase, c.Launched = Running, true
	switch {
	case s != nil && s.Status == runtime.Running:
		t.restarted(i, now)
	case s != nil && s.Status == runtime.Stopped && !c.heard(exitOf(s)):
		t.restarted(i, s.ExitedAt)
		t.ended(i, exitOf(s))
	case t.rebooted:
		t.over(i, t.unrevived(i))
	}
}

// restart makes the container's process anew and starts it.
func (e *Engine) restart(t *Task, i int) func(context.Context) outcome {
	p, before := &t.Plan.Containers[i], t.Containers[i].Lives
	return func(ctx context.Context) outcome {
		if err := e.cfg.Runtime.Renew(ctx, p.ID); err != nil {
			return outcome{err: err}
		}
		_, at, err := e.cfg.Runtime.Start(ctx, p.ID)
		switch {
		case err == nil:
			return outcome{then: func(time.Time) { e.revived(t, i, at) }} //nolint:contextcheck // applied by the engine, whose context outlives the action's
		case !e.cfg.Transient(err):
			return outcome{err: err}
		}
		// The answer was lost with the runtime, the restart perhaps not.
		s, listErr := e.look(ctx, p.ID)
		if listErr != nil || s == nil || s.Status == runtime.Created || s.Status == runtime.Stopped && before.heard(exitOf(s)) {
			return outcome{err: errors.Join(err, listErr)}
		}
		return outcome{then: func(now time.Time) { //nolint:contextcheck // applied by the engine, whose context outlives the action's
			t.adoptDown(i, s, now)
			e.revivedNews(t, i)
		}}
	}
}

// revived applies the news that container i runs again.
func (e *Engine) revived(t *Task, i int, at time.Time) {
	t.restarted(i, at)
	e.revivedNews(t, i)
}

func (e *Engine) revivedNews(t *Task, i int) {
	c := &t.Containers[i]
	e.log.Info("container restarted", "task", t.ARN, "container", t.Plan.Containers[i].Name,
		"restarts", c.Restarts, "exit_code", c.LastExit.Code)
	e.written(t, i)
}
