package agent

import (
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/node/agent/engine"
	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/session"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// TestRealRestartPolicy: a container ends while no node process is there to see it. The next one starts it again, on the
// files it left, and so on; the server hears of it.
func TestRealRestartPolicy(t *testing.T) {
	m, s := newMachine(t), newServer(t)
	a := m.agent(t, s)
	stop := runs(t, a)
	defer func() { stop() }()
	in := m.simple(0x77, func(_ *session.Task, c *session.Container) {
		c.RestartPolicy = &session.RestartPolicy{Enabled: true, IgnoredExitCodes: []int{7}, RestartAttemptPeriod: 1}
	}, "sh", "-c", "echo x >> /lives; [ $(wc -l < /lives) -lt 4 ] || exec sleep 1000; sleep 2; exit 5")
	s.payload("m1", 5, in)
	s.until("running", func() bool { return s.submitted(in.Arn, "RUNNING") != nil })
	stop()
	m.awaitStopped(t)
	a = m.agent(t, s)
	stop = runs(t, a)
	s.until("three restarts", func() bool {
		return slices.ContainsFunc(s.submits, func(r shape.SubmitTaskStateChangeRequest) bool {
			return aws.Val(r.Status) == "RUNNING" && strings.HasPrefix(aws.Val(r.Containers[0].Reason), "Restarted 3 times by its restart policy, last at ")
		})
	})
	c := a.Tasks()[0].Containers[0]
	if c.Phase != engine.Running || c.Restarts != 3 || c.LastExit.Code != 5 || !c.RestartedAt.After(c.StartedAt) {
		t.Errorf("container %v, %+v", &c, c.Lives)
	}
	s.until("connected", func() bool { return len(s.dials) == 2 })
	s.payload("m2", 6, session.Task{Arn: in.Arn, DesiredStatus: "STOPPED", Containers: []session.Container{}})
	if end := s.ended(in.Arn); aws.Val(end.ExitCode) != 137 {
		t.Errorf("ended %+v", end)
	}
	if err := a.StopAll(t.Context()); err != nil {
		t.Error(err)
	}
}

// awaitStopped waits until the machine's only container has ended.
func (m *machine) awaitStopped(t *testing.T) {
	t.Helper()
	for range m.runtime.Events(t.Context()) { // the first tells nothing but that the others are heard
		if list, err := m.runtime.List(t.Context()); err == nil && len(list) == 1 && list[0].Status == runtime.Stopped {
			return
		}
	}
	t.Fatal("the container does not end")
}
